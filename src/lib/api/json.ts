import {ApiError} from './errors.js';

const MAX_DEPTH = 32;
/** What could reach a prototype, and half a character, which is no text. */
const FORBIDDEN_KEY = /^(?:__proto__|constructor|prototype)$|\p{Surrogate}/u;

/**
 * Reads the JSON of a request. Keys that could reach a prototype or are no text are refused, as is what is nested too
 * deeply for whoever walks through it later.
 * @throws ApiError INVALID_PARAMETER
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    throw new ApiError('INVALID_PARAMETER', 'the body is not UTF-8');
  }
  if (isDeep(text)) throw new ApiError('INVALID_PARAMETER', `the body is nested deeper than ${MAX_DEPTH} levels`);
  let refused: string | undefined;
  let value: unknown;
  try {
    value = JSON.parse(text, (key, inner: unknown) => {
      if (FORBIDDEN_KEY.test(key)) refused ??= JSON.stringify(key);
      return inner;
    });
  } catch {
    throw new ApiError('INVALID_PARAMETER', 'the body is not JSON');
  }
  if (refused !== undefined) throw new ApiError('INVALID_PARAMETER', `the body may not have a key ${refused}`);
  return value;
}

function isDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (inString) {
      if (char === 0x5c) index += 1;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) {
      inString = true;
    } else if (char === 0x5b || char === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (char === 0x5d || char === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}
