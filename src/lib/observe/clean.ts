import {redactField, redactText} from './redact.js';
import {escapeUnprintable} from './text.js';

export type Line = Record<string, unknown>;

/** Nothing that is worth logging lies deeper. */
const MAX_DEPTH = 12;

/**
 * A parsed line of the log without its secrets.
 * @param visible the line leaves JSON for a terminal, where control characters would come to life: they become text
 */
export function cleanLine(line: Line, visible: boolean): Line {
  return clean('', line, visible, 0) as Line;
}

function clean(name: string, given: unknown, visible: boolean, depth: number): unknown {
  const value = redactField(name, given);
  if (typeof value === 'string') {
    const text = redactText(value);
    // A stack is the one text of several lines; the renderer indents them.
    return visible ? escapeUnprintable(text, name === 'stack' ? '\n' : '') : text;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((item) => clean('', item, visible, depth + 1));
  const fields: Line = Object.create(null);
  for (const [key, inner] of Object.entries(value)) {
    fields[visible ? escapeUnprintable(key) : key] = clean(key, inner, visible, depth + 1);
  }
  return fields;
}
