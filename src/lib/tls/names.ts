import {isIP, isIPv4} from 'node:net';
import {UsageError} from '../errors.js';

/** A common name has at most 64 characters (RFC 5280, ub-common-name). */
export const MAX_CN_LENGTH = 64;

/** Before the device's id in a URI name, for ids that are no host name (such as `box_7`). */
export const DEVICE_URN = 'urn:paynet:device:';

export interface SubjectName {
  type: 'dns' | 'ip' | 'uri';
  value: string;
}

/**
 * The name itself when it may be a common name, a device id and a file name at once: 1 to 64 characters out of
 * `A-Z a-z 0-9 . _ -`, not beginning with a dot or a dash. UsageError otherwise, naming the first fault.
 */
export function checkedCn(name: string): string {
  const rule = 'Use 1 to 64 of the characters A-Z a-z 0-9 . _ - and begin with a letter, a digit or _.';
  if (name.length === 0) throw new UsageError('The common name is empty.', {hint: rule});
  if (name.length > MAX_CN_LENGTH) {
    throw new UsageError(`The common name has ${name.length} characters; at most ${MAX_CN_LENGTH} are allowed.`, {
      hint: rule,
    });
  }
  const wrong = /[^A-Za-z0-9._-]/u.exec(name);
  if (wrong) {
    const place = `character ${wrong.index + 1}`;
    throw new UsageError(`The common name must not hold ${quoted(wrong[0])} (${place}).`, {hint: rule});
  }
  if (name.startsWith('.') || name.startsWith('-')) {
    throw new UsageError(`The common name must not begin with ${quoted(name.charAt(0))}.`, {hint: rule});
  }
  return name;
}

/**
 * One subject alternative name as a user writes it: `DNS:name`, `IP:address`, or the bare value, whose kind is
 * then plain from its form. `*.` may stand before a DNS name of at least two labels. UsageError otherwise.
 */
export function parseSan(text: string): SubjectName {
  const typed = /^(dns|ip):(.*)$/is.exec(text);
  const kind = typed?.[1]?.toLowerCase();
  const value = typed?.[2] ?? text;
  if (kind === 'ip' || (kind === undefined && isIP(value) !== 0)) return {type: 'ip', value: checkedAddress(value)};
  return {type: 'dns', value: checkedDnsName(value)};
}

/** Whether a name is a sequence of DNS labels that nobody can take for an address. */
export function isDnsName(name: string): boolean {
  if (name.length > 253) return false;
  const labels = name.split('.');
  // A last label that is a number reads as an IPv4 address to many parsers.
  if (labels.length > 1 && /^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')) return false;
  return labels.every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label));
}

/**
 * How a certificate repeats its common name among the alternative names, where verifiers look first: as a DNS name
 * or an address when it is one; a device id that is neither, such as `box_7` or `10.1`, as a URI.
 */
export function nameOfCn(cn: string, usage: 'device' | 'server'): SubjectName {
  if (usage === 'server' && isIPv4(cn)) return {type: 'ip', value: cn};
  if (isDnsName(cn)) return {type: 'dns', value: cn};
  if (usage === 'device') return {type: 'uri', value: DEVICE_URN + cn};
  throw new UsageError(`A server cannot be reached by the name ${quoted(cn)}.`, {
    hint: 'Use the DNS name or the IPv4 address that devices connect to as the common name.',
  });
}

/** A name as people write it: `DNS:gateway.example.com`. */
export function sayName(name: SubjectName): string {
  return `${name.type.toUpperCase()}:${name.value}`;
}

function checkedAddress(value: string): string {
  // A zone (%eth0) means something on one machine only.
  if (isIP(value) === 0 || value.includes('%')) {
    throw new UsageError(`${quoted(value)} is no IP address.`, {
      hint: 'Write it like IP:192.0.2.10 or IP:2001:db8::1.',
    });
  }
  return value;
}

function checkedDnsName(value: string): string {
  const base = value.startsWith('*.') ? value.slice(2) : value;
  const wildcardTooWide = base !== value && !base.includes('.');
  if (!isDnsName(base) || wildcardTooWide) {
    throw new UsageError(`${quoted(value)} is no DNS name.`, {
      hint: wildcardTooWide
        ? 'A wildcard needs at least two labels after it: *.example.com.'
        : 'Write DNS:gateway.example.com, DNS:*.example.com or IP:192.0.2.10; other alphabets in their xn-- form.',
    });
  }
  return value;
}

/** For a message: quoted, shortened, and with every character that could harm a terminal or a log as its number. */
function quoted(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const plain = short.replace(
    /[^\x20-\x7e…]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
  );
  return `"${plain}"`;
}
