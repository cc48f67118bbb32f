export type JsonValue = string | number | boolean | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

// Controls, format characters (direction overrides, zero-width ones), halves of pairs, line separators: what a device
// sent must neither steer a terminal nor look like something else there.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A value as JSON on one line; unprintable characters stand as JSON's own escapes, so it means the same. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (char) => {
    let escaped = '';
    for (let index = 0; index < char.length; index++) {
      escaped += `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}

/** Text as it may stand in a message: as `safeJson`, without the quotes, and not too long. */
export function safeText(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return safeJson(short).slice(1, -1).replaceAll('\\"', '"');
}

/** A number where JavaScript holds it exactly, else its decimal digits. */
export function exactNumber(value: bigint): number | string {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value.toString();
}
