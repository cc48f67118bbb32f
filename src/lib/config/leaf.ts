import {z} from 'zod';
import {messageOf} from '../errors.js';
import {parseAddress} from './address.js';
import {formatDuration, parseDuration} from './duration.js';

/** What every other file needs to know about one setting, kept beside its schema. */
export interface LeafInfo {
  kind: 'text' | 'texts' | 'integer' | 'boolean' | 'duration' | 'path' | 'paths';
  /** Completes the sentence "must be …". */
  allowed: string;
  /** Never shown in an error. */
  secret?: boolean;
  /** The name of a file beside the configuration that is meant when nothing is given; programs give it themselves. */
  beside?: string;
}

/** The message of an issue that needs no other words than what is allowed. */
export const NOT_ALLOWED = 'not allowed';

export const leafInfo = z.registry<LeafInfo>();

export function integer(min: number, max: number) {
  return z
    .int()
    .min(min)
    .max(max)
    .register(leafInfo, {kind: 'integer', allowed: `a whole number from ${min} to ${max}`});
}

/** 0x05 and the like: a number, or its text, of a few allowed ones. */
export function byteOf<const T extends number>(...values: T[]) {
  const allowed = values.map((value) => `0x${value.toString(16).padStart(2, '0')}`).join(' or ');
  return z
    .union([z.number(), z.string()])
    .transform((value, context): T => {
      const found = values.find((candidate) => candidate === Number(value));
      if (found !== undefined) return found;
      context.issues.push({code: 'custom', message: NOT_ALLOWED, input: value});
      return z.NEVER;
    })
    .register(leafInfo, {kind: 'text', allowed});
}

export function flag() {
  return z.boolean().register(leafInfo, {kind: 'boolean', allowed: 'true or false'});
}

export function choice<const T extends string>(...values: T[]) {
  const allowed = values.length === 1 ? `"${values[0]}"` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  return z.enum(values).register(leafInfo, {kind: 'text', allowed});
}

/** Text like "70s" (or a number of milliseconds from a program) in, milliseconds out. */
export function duration(min: string, max: string) {
  const [least, most] = [parseDuration(min), parseDuration(max)];
  return z
    .union([z.string(), z.number()])
    .transform((value, context): number => {
      try {
        const ms = parseDuration(value);
        if (ms >= least && ms <= most) return ms;
        context.issues.push({code: 'custom', message: NOT_ALLOWED, input: value});
      } catch (error) {
        context.issues.push({code: 'custom', message: messageOf(error), input: value});
      }
      return z.NEVER;
    })
    .register(leafInfo, {
      kind: 'duration',
      allowed: `a duration from ${formatDuration(least)} to ${formatDuration(most)}`,
    });
}

/** An address to listen on (":443") or, with `remote`, one to call ("host:443"). */
export function address(options: {remote?: boolean; orOff?: boolean} = {}) {
  const forms = options.remote ? 'an address like "host:443"' : 'an address like ":443" or "127.0.0.1:443"';
  return z
    .string()
    .superRefine((value, context) => {
      if (options.orOff && value === 'off') return;
      try {
        const {host, port} = parseAddress(value);
        if (options.remote && (host === undefined || port === 0))
          context.addIssue({code: 'custom', message: NOT_ALLOWED});
      } catch (error) {
        context.addIssue({code: 'custom', message: messageOf(error)});
      }
    })
    .register(leafInfo, {kind: 'text', allowed: options.orOff ? `${forms}, or "off"` : forms});
}

/** A path, or PEM text itself, which begins with "-----BEGIN". */
export function pem(what: string, options: {secret?: boolean} = {}) {
  return z
    .string()
    .min(1)
    .register(leafInfo, {kind: 'path', allowed: `the path of ${what}, or its PEM text`, ...options});
}

/** One `pem` or a list of them; a list comes out. An empty list is refused, for it would mean "no check". */
export function pemList(what: string) {
  const one = z.string().min(1);
  return z
    .union([one.transform((value) => [value]), z.array(one).min(1)])
    .register(leafInfo, {kind: 'paths', allowed: `the path of ${what}, or a list of such paths (not empty)`});
}

export function path(what: string, options: {beside?: string} = {}) {
  return z
    .string()
    .min(1)
    .register(leafInfo, {kind: 'path', allowed: `the path of ${what}`, ...options});
}

export function hostName() {
  return z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,253}$/)
    .register(leafInfo, {kind: 'text', allowed: 'a host name'});
}

/** "1.3", "TLSv1.3" or the number 1.3 in, "1.3" out. */
export function tlsVersion() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context): '1.2' | '1.3' => {
      const version = String(value).replace(/^TLSv/, '');
      if (version === '1.2' || version === '1.3') return version;
      context.issues.push({code: 'custom', message: NOT_ALLOWED, input: value});
      return z.NEVER;
    })
    .register(leafInfo, {kind: 'text', allowed: '"1.3" or "1.2"'});
}

const PLACEHOLDERS = /^(?:change[-_ ]?(?:me|it)|replace[-_ ]?me|your[-_ ]?password|placeholder|todo|x{3,}|<.*>)$/i;

/** A Redis address; the password in it is a secret, and one that nobody filled in is refused. */
export function redisUrl() {
  return z
    .string()
    .superRefine((value, context) => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const known = url !== undefined && ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== '';
      if (!known || !/^\/?\d*$/.test(url.pathname)) {
        context.addIssue({code: 'custom', message: NOT_ALLOWED});
      } else if (PLACEHOLDERS.test(decoded(url.password))) {
        context.addIssue({code: 'custom', message: 'the password is still a placeholder: put the real one there'});
      }
    })
    .register(leafInfo, {kind: 'text', allowed: 'redis://[user:password@]host[:port][/number]', secret: true});
}

/** A PostgreSQL address; the password in it is a secret, and one that nobody filled in is refused. */
export function postgresUrl() {
  return z
    .string()
    .superRefine((value, context) => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const known = url !== undefined && ['postgres:', 'postgresql:'].includes(url.protocol) && url.pathname.length > 1;
      if (!known) context.addIssue({code: 'custom', message: NOT_ALLOWED});
      else if (PLACEHOLDERS.test(decoded(url.password))) {
        context.addIssue({code: 'custom', message: 'the password is still a placeholder: put the real one there'});
      }
    })
    .register(leafInfo, {kind: 'text', allowed: 'postgres://user:password@host[:port]/database', secret: true});
}

const WEB_URL = 'an address like "https://host/path", without user and password';

/** Where something is posted to: https, or http where that is allowed elsewhere; no user, no password. */
export function webUrl() {
  return z
    .string()
    .superRefine((value, context) => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const good =
        url !== undefined && ['https:', 'http:'].includes(url.protocol) && url.username + url.password === '';
      // Said without the value: an address may hold a token.
      if (!good) context.addIssue({code: 'custom', message: `must be ${WEB_URL}`});
    })
    .register(leafInfo, {kind: 'text', allowed: WEB_URL});
}

const SECRET = /^[\x21-\x7e]{16,256}$/;

function secret() {
  return z.string().superRefine((value, context) => {
    if (!SECRET.test(value)) context.addIssue({code: 'custom', message: NOT_ALLOWED});
    else if (PLACEHOLDERS.test(value)) {
      context.addIssue({code: 'custom', message: 'is still a placeholder: put the real one there'});
    }
  });
}

const SECRET_WORDS = '16 to 256 visible characters without spaces';

export function secretText(what: string) {
  return secret().register(leafInfo, {kind: 'text', allowed: `${what}: ${SECRET_WORDS}`, secret: true});
}

/** One secret, or a list while it is changed: the first signs, the others are accepted too. A list comes out. */
export function secrets(what: string) {
  return z
    .union([secret().transform((value) => [value]), z.array(secret()).min(1).max(5)])
    .register(leafInfo, {kind: 'texts', allowed: `${what}, or a list of them: ${SECRET_WORDS}`, secret: true});
}

/** One text or a list of them; a list comes out. */
export function texts(what: string) {
  return z
    .union([
      z
        .string()
        .min(1)
        .transform((value) => [value]),
      z.array(z.string().min(1)).min(1),
    ])
    .register(leafInfo, {kind: 'texts', allowed: `${what}, or a list of them`});
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone "%" is legal in a password and needs no decoding.
  }
}
