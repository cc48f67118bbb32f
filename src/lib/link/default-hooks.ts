import {createHash, timingSafeEqual} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import {isId} from '../registry/index.js';
import type {LinkHooks, Verdict} from './hooks.js';

export interface DefaultHooksOptions {
  /** Devices that may register and log in; undefined: any whose certificate proves its id. */
  devices: DeviceList | undefined;
  /** Without a certificate and without a list nobody is let in, unless this is set. */
  allowUnverified: boolean;
}

/** Device ids, each with the SHA-256 of its login token where it needs one. */
export type DeviceList = ReadonlyMap<string, Buffer | undefined>;

/**
 * The decisions of a server whose owner has made none: a device is who its certificate says, its id is its serial
 * number, and without a certificate it has to be on the list.
 */
export function defaultHooks(options: DefaultHooksOptions): Omit<LinkHooks, 'order'> {
  const {devices, allowUnverified} = options;

  function mayEnter(id: string, proved: boolean): Verdict {
    if (devices !== undefined) {
      return devices.has(id) ? {allowed: true} : {allowed: false, reason: 'this device is not on the list'};
    }
    if (proved || allowUnverified) return {allowed: true};
    return {allowed: false, reason: 'this server has no way to check devices without a certificate'};
  }

  return {
    register({deviceSn, peer}) {
      const verdict = mayEnter(deviceSn, peer.identity !== undefined);
      return verdict.allowed ? {allowed: true, deviceId: deviceSn, first: true} : verdict;
    },
    login({deviceId, token, resumed, peer}) {
      const verdict = mayEnter(deviceId, peer.identity !== undefined);
      if (!verdict.allowed) return verdict;
      const wanted = devices?.get(deviceId);
      if (resumed || wanted === undefined) {
        // On a list without a token and without a certificate, the id alone would be the secret.
        if (wanted === undefined && !resumed && peer.identity === undefined && !allowUnverified) {
          return {allowed: false, reason: 'this device has neither a certificate nor a token on the list'};
        }
        return {allowed: true};
      }
      const shown = createHash('sha256').update(token).digest();
      return timingSafeEqual(shown, wanted) ? {allowed: true} : {allowed: false, reason: 'the token is not valid'};
    },
  };
}

const MAX_LIST_BYTES = 64 * 1024 * 1024;

/**
 * Reads a device list: one device a line, `device_id` or `device_id sha256-of-its-token`; `#` begins a comment.
 * Rejects with DEVICES_INVALID, naming the line.
 */
export async function readDeviceList(path: string): Promise<DeviceList> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const why = codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
    throw new PaynetError('DEVICES_INVALID', `auth.devices: ${path}: ${why}`, {cause: error});
  });
  if (text.length > MAX_LIST_BYTES) throw new PaynetError('DEVICES_INVALID', `auth.devices: ${path} is over 64 MiB`);
  const list = new Map<string, Buffer | undefined>();
  for (const [index, line] of text.split('\n').entries()) {
    const [id, digest, ...rest] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (id === undefined || id === '') continue;
    const wrong = rest.length > 0 || !isId(id) || (digest !== undefined && !/^[0-9a-f]{64}$/i.test(digest));
    if (wrong || list.has(id)) {
      throw new PaynetError(
        'DEVICES_INVALID',
        `auth.devices: ${path}:${index + 1}: ${wrong ? 'no device' : 'a second entry of a device'}`,
        {
          hint: 'A line is `device_id`, or `device_id` and the SHA-256 of its token as 64 hex digits.',
        },
      );
    }
    list.set(id, digest === undefined ? undefined : Buffer.from(digest, 'hex'));
  }
  return list;
}
