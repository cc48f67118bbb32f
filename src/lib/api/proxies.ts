import type {IncomingMessage} from 'node:http';
import {BlockList, isIP, isIPv6} from 'node:net';
import {PaynetError} from '../errors.js';

/** Whose address counts for a request: that of the connection, or what a trusted proxy tells of its own. */
export type AddressOf = (request: IncomingMessage) => string;

const socketAddress: AddressOf = ({socket}) => socket.remoteAddress ?? '';

/**
 * Believes X-Forwarded-For as far as it was written by proxies of the list: addresses, or networks as "10.0.0.0/8".
 * @throws PaynetError PROXY_INVALID
 */
export function createAddressOf(proxies: readonly string[] = []): AddressOf {
  if (proxies.length === 0) return socketAddress;
  const trusted = new BlockList();
  for (const proxy of proxies) trust(trusted, proxy);
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return (request) => {
    let address = socketAddress(request);
    // Each proxy adds whom it heard at the end: from there, the first that is not trusted is the sender.
    const told = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    while (told.length > 0 && isTrusted(address)) {
      const next = told.pop()?.trim() ?? '';
      if (isIP(next) === 0) break;
      address = next;
    }
    return address;
  };
}

function trust(list: BlockList, proxy: string): void {
  const [address = '', prefix] = proxy.split('/');
  const type = isIPv6(address) ? 'ipv6' : 'ipv4';
  const bits = prefix === undefined ? undefined : Number(prefix);
  const fits = bits === undefined || (/^\d{1,3}$/.test(prefix ?? '') && bits <= (type === 'ipv6' ? 128 : 32));
  if (isIP(address) === 0 || !fits) {
    throw new PaynetError('PROXY_INVALID', `"${proxy}" is neither an address nor a network`, {
      hint: 'write an address, such as 192.0.2.7, or a network, such as 10.0.0.0/8',
    });
  }
  if (bits === undefined) list.addAddress(address, type);
  else list.addSubnet(address, bits, type);
}
