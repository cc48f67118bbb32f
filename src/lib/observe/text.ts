/*
 * Controls (C0, DEL, C1), format characters (direction overrides, zero-width ones, tags), line and paragraph
 * separators, and halves of surrogate pairs: everything by which a text can look like another, start a line of its
 * own or steer a terminal.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Makes text that a device sent fit for a log or a terminal: every unprintable character becomes its visible escape
 * ("\x1b", "\u{202e}"), and what is longer than `max` UTF-16 units is cut, which an ellipsis shows.
 */
export function printable(text: string, max = 200): string {
  // Cut first: escaping a megabyte to show a line of it would be a gift to whoever sends it.
  const escaped = escapeUnprintable(text.slice(0, max + 1));
  if (escaped.length <= max) return escaped;
  // Half of a pair at the cut would itself be unprintable.
  const end = isHighSurrogate(escaped.charCodeAt(max - 2)) ? max - 2 : max - 1;
  return `${escaped.slice(0, end)}…`;
}

/** The same without a limit, keeping the characters of `keep`. */
export function escapeUnprintable(text: string, keep = ''): string {
  return text.replace(UNPRINTABLE, (char) => (keep.includes(char) ? char : escapeOf(char)));
}

/** The same for a line of JSON: the characters become JSON's own escapes, so the line means what it meant. */
export function escapeJson(line: string): string {
  return line.replace(UNPRINTABLE, (char) => {
    let escaped = '';
    for (let index = 0; index < char.length; index++) {
      escaped += `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
