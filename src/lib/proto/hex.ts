import {PaynetError} from '../errors.js';
import {safeText} from './json.js';

// A byte-order mark counts as white space in JavaScript.
const TOKEN = /[^\s:,]+/g;

/**
 * Reads hex text: digits in pairs; white space, line ends, colons and commas may stand between bytes, 0x before them.
 * @throws PaynetError HEX_INVALID, which says what is wrong and where
 */
export function parseHex(text: string): Buffer {
  const digits: string[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    const prefix = /^0x/i.test(token) ? 2 : 0;
    const group = token.slice(prefix);
    const bad = group.search(/[^0-9a-f]/i);
    if (bad >= 0) {
      const char = String.fromCodePoint(group.codePointAt(bad) ?? 0);
      throw invalid(text, match.index + prefix + bad, `"${safeText(char)}" is no hex digit`);
    }
    if (group.length % 2 !== 0 || group === '') {
      throw invalid(text, match.index, `"${safeText(shorten(token))}" has an odd number of hex digits`);
    }
    digits.push(group);
  }
  return Buffer.from(digits.join(''), 'hex');
}

/** Whether bytes are text rather than frames: each frame of less than 16 MiB begins with a zero byte, text has none. */
export function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

function invalid(text: string, at: number, what: string): PaynetError {
  const lines = text.slice(0, at).split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  const place = text.trimEnd().includes('\n') ? `line ${lines.length}, column ${column}` : `position ${column}`;
  return new PaynetError('HEX_INVALID', `${what} (${place})`, {
    hint: 'Two hex digits make a byte; spaces, line ends, colons, commas and 0x may stand between bytes.',
  });
}

function shorten(token: string): string {
  return token.length > 24 ? `${token.slice(0, 24)}…` : token;
}
