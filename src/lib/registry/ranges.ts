const UINT32_MAX = 0xffff_ffff;
const INT32_MAX = 0x7fff_ffff;

function whole(field: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${field} must be a whole number from ${min} to ${max}, not ${shown(value)}`);
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' ? String(value) : typeof value;
}

export const uint32 = (field: string, value: unknown): void => whole(field, value, 0, UINT32_MAX);
export const int32 = (field: string, value: unknown): void => whole(field, value, -INT32_MAX - 1, INT32_MAX);
/** Up to 2^53 - 1: what a JavaScript number holds exactly. */
export const uint64 = (field: string, value: unknown): void => whole(field, value, 0, Number.MAX_SAFE_INTEGER);

const LONGEST_ID = 128;
// Control and format characters (bidirectional ones, too), halves of pairs, line separators, whatever else leaves no
// mark on paper (fillers, variation selectors), the replacement character that broken UTF-8 becomes (two broken ids
// would be equal), and the rest of the specials block.
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff0-\uffff]/u;

/** Whether a text can be an order_id, device_id or device_sn: 1 to 128 characters, none invisible, none broken. */
export function isId(text: string): boolean {
  return text.length > 0 && text.length <= LONGEST_ID && !UNFIT.test(text) && text.trim() === text;
}
