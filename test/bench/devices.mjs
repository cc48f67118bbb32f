// The simulated devices: their names, addresses and certificates.
import {readFileSync} from 'node:fs';
import {createSecureContext} from 'node:tls';

const PER_ADDRESS = 100;
const PER_FILE = 500;

export const deviceName = (device) => `device${String(device).padStart(6, '0')}`;

/** An address of its own for every hundred devices: below the product's limit per address, and ports enough. */
export function addressOf(device) {
  const block = Math.floor(device / PER_ADDRESS);
  return `127.${1 + Math.floor(block / 250)}.1.${1 + (block % 250)}`;
}

/** The files of certificates that hold at least `count` devices; whole files, so that more can follow later. */
export function certificateFiles(dir, count) {
  return Array.from({length: Math.ceil(count / PER_FILE)}, (_, at) => ({
    file: `${dir}/devices-${at}.json`,
    from: at * PER_FILE,
    to: (at + 1) * PER_FILE,
  }));
}

/** The TLS contexts of devices, each made once: that takes as long as half a handshake, and holding one 32 KiB. */
export function deviceContexts(dir, ca) {
  const files = new Map();
  const contexts = new Map();
  const pemsOf = (device) => {
    const at = Math.floor(device / PER_FILE);
    if (!files.has(at)) files.set(at, JSON.parse(readFileSync(`${dir}/devices-${at}.json`, 'utf8')));
    return files.get(at)[device % PER_FILE];
  };
  return (device) => {
    if (!contexts.has(device)) {
      const [cert, key] = pemsOf(device);
      contexts.set(device, createSecureContext({ca, cert, key, minVersion: 'TLSv1.3'}));
    }
    return contexts.get(device);
  };
}
