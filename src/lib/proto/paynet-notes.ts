import {isId, ResultCode} from '../registry/index.js';
import type {JsonObject} from './json.js';

const ID_FIELDS = ['order_id', 'device_id', 'device_sn'];
/** Times in milliseconds since 2001 are above it, times in seconds below until the year 5138. */
const LEAST_MILLISECONDS = 1e11;

/** What whoever reads a paynet message should know about its values (paynet.md, Messages). */
export function paynetNotes(name: string, fields: JsonObject, payloadBytes: number): string[] {
  return [...acceptedByDefault(name, fields, payloadBytes), ...ids(fields), ...values(name, fields)];
}

function acceptedByDefault(name: string, fields: JsonObject, payloadBytes: number): string[] {
  if (name !== 'CoinAck' && name !== 'QueryRsp') return [];
  if (payloadBytes === 0) return [`an empty ${name} reads as ACCEPTED: servers refuse it`];
  if (fields.order_id === '') return ['order_id is empty: servers refuse it'];
  if (name === 'QueryRsp' && fields.state === 'COIN_ACCEPTED' && fields.progress === 0 && !('code' in fields)) {
    return ['ACCEPTED at 0 % without a code does not prove that the order is known there'];
  }
  return [];
}

function ids(fields: JsonObject): string[] {
  return ID_FIELDS.filter((field) => {
    const id = fields[field];
    return typeof id === 'string' && id !== '' && !isId(id);
  }).map((field) => `${field} is no valid id: 1 to 128 visible characters, no space at either end`);
}

function values(name: string, fields: JsonObject): string[] {
  const {progress, timestamp, code} = fields;
  const notes: string[] = [];
  if (typeof progress === 'number' && progress > 100) notes.push(`progress is ${progress}, over 100 %`);
  if (typeof timestamp === 'string') notes.push('timestamp is over 2^53: servers refuse it');
  if (typeof timestamp === 'number' && timestamp > 0 && timestamp < LEAST_MILLISECONDS) {
    notes.push('timestamp is in milliseconds; this value looks like seconds');
  }
  const result = name === 'ErrorMsg' && typeof code === 'number' ? ResultCode[code] : undefined;
  if (result !== undefined) notes.push(`code ${String(code)} is ${result}`);
  return notes;
}
