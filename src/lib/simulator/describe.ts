import {printable} from '../observe/index.js';
import {CoinState, ResultCode} from '../registry/index.js';

/** A message's fields in one line, as the documents name them: `order_id=o-1 state=COIN_DONE progress=100`. */
export function describeMessage(name: string, message: unknown): string {
  return Object.entries(message as Record<string, unknown>)
    .filter(([key, value]) => key !== '$type' && value !== '' && value !== undefined && !isEmptyBytes(value))
    .map(([key, value]) => `${snakeCase(key)}=${describeValue(name, key, value)}`)
    .join(' ');
}

function describeValue(name: string, key: string, value: unknown): string {
  // Whoever has a token is the device: it is not shown, only that there is one.
  if (key === 'token' || key === 'resumeToken') return '•••';
  if (key === 'state' && typeof value === 'number') return CoinState[value] ?? String(value);
  if (key === 'code' && typeof value === 'number') return ResultCode[value] ?? String(value);
  if (key === 'timestamp' && typeof value === 'number') return timeText(value);
  if (name === 'CoinCommand' && key === 'timeout') return `${String(value)}s`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return printable(String(value), 120);
}

function timeText(ms: number): string {
  return ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function isEmptyBytes(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === 0;
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
