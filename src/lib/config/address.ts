import {isIPv6} from 'node:net';
import {codeOf, ExitCode, messageOf, PaynetError} from '../errors.js';
import {quote} from './errors.js';

export interface Address {
  /** Without the brackets of IPv6; absent for ":443", which means every interface. */
  host?: string;
  /** 0 to 65535; 0 lets the system choose. */
  port: number;
}

const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;

/**
 * Reads ":443", "host:443", "127.0.0.1:443" or "[::1]:443".
 * @throws PaynetError ADDRESS_INVALID
 */
export function parseAddress(text: string): Address {
  // A URL may hold a password, so it is not repeated.
  if (text.includes('://')) throw invalid('a URL is no address: write only host:port');
  const cut = text.lastIndexOf(':');
  const shown = quote(text);
  if (cut < 0) {
    const example = /^\d{1,5}$/.test(text) ? `":${text}"` : '"host:443" or ":443"';
    throw invalid(`${shown} has no port: write it like ${example}`);
  }
  const hostPart = text.slice(0, cut);
  const portPart = text.slice(cut + 1);
  const port = /^\d{1,5}$/.test(portPart) ? Number(portPart) : Number.NaN;
  if (hostPart.includes(':') && !hostPart.startsWith('[')) {
    throw invalid(`${shown}: an IPv6 address needs brackets, like "[::1]:443"`);
  }
  if (!(port <= 65_535)) throw invalid(`${shown}: the port must be a number from 0 to 65535`);
  if (hostPart === '') return {port};
  if (hostPart.startsWith('[')) {
    const inner = hostPart.endsWith(']') ? hostPart.slice(1, -1) : '';
    if (!isIPv6(inner)) throw invalid(`${shown}: what stands in brackets must be an IPv6 address`);
    return {host: inner, port};
  }
  if (!NAME.test(hostPart)) throw invalid(`${shown}: the host must be a name or an IP address`);
  return {host: hostPart, port};
}

/** The inverse of `parseAddress`. */
export function formatAddress(address: Address): string {
  const {host = '', port} = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * What a failed `listen` means to the user.
 * @param key the configuration key that names the address, such as "server.addr"
 */
export function listenError(error: unknown, address: Address, key: string): PaynetError {
  const shown = formatAddress(address);
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new PaynetError('PORT_IN_USE', `port ${address.port} is already in use (${key} is "${shown}")`, {
        cause: error,
        hint: `stop the program that uses it, or choose another port with ${key}`,
      });
    case 'EACCES':
      return new PaynetError('PORT_FORBIDDEN', `port ${address.port} may not be opened (${key} is "${shown}")`, {
        cause: error,
        hint: `ports below 1024 need a right of their own (CAP_NET_BIND_SERVICE); or choose a higher port with ${key}`,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new PaynetError('ADDRESS_UNAVAILABLE', `"${shown}" is no address of this machine (${key})`, {
        cause: error,
        hint: `use ":${address.port}" for every interface, or an address that this machine has`,
      });
    default:
      return new PaynetError('LISTEN_FAILED', `cannot listen on "${shown}" (${key}): ${messageOf(error)}`, {
        cause: error,
      });
  }
}

function invalid(message: string): PaynetError {
  return new PaynetError('ADDRESS_INVALID', message, {exitCode: ExitCode.usage});
}
