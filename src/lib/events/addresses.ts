import {BlockList, isIP} from 'node:net';

const V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

// Inside 2000::/3, which is all that is routed: everything that holds an IPv4 address or is set aside.
const V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const blocked = listOf(V4, V6);
const routed = listOf([], ['2000::/3']);

/**
 * Whether an address is one that a webhook must not go to unless private ones are allowed: private, loopback,
 * link-local, multicast, set aside, or an IPv6 form that stands for an IPv4 address. What is no address is blocked.
 */
export function isPrivateAddress(address: string): boolean {
  if (isIP(address) === 4) return blocked.check(address, 'ipv4');
  // A zone ("%eth0") belongs to link-local addresses only.
  if (isIP(address) !== 6 || address.includes('%')) return true;
  return !routed.check(address, 'ipv6') || blocked.check(address, 'ipv6');
}

function listOf(v4: readonly string[], v6: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (range: string, family: 'ipv4' | 'ipv6') => {
    const [net = '', bits] = range.split('/');
    list.addSubnet(net, Number(bits), family);
  };
  for (const range of v4) add(range, 'ipv4');
  for (const range of v6) add(range, 'ipv6');
  return list;
}
