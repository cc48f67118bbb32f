import {Ping} from './generated/paybox.js';
import type {Codec} from './message.js';
import {protoCodec} from './proto-codec.js';
import {int32, uint32, uint64} from './ranges.js';

const general = protoCodec(Ping, (ping) => {
  uint64('timestamp', ping.timestamp);
  uint32('uptime', ping.uptime);
  int32('signal', ping.signal);
});

const TIMESTAMP = 0x08;
const UPTIME = 0x10;
const SIGNAL = 0x18;
const IP = 0x22;

/** Where `varint` stopped; -1 when it met something for the general decoder. */
let at = 0;

/**
 * The heartbeat's codec. Nearly every message of a quiet fleet is a Ping, so its usual form is read straight from the
 * chunk; anything unusual (another field or wire type, a long varint, text that is not ASCII) is left to the generated
 * decoder, which decides everything that can be doubted.
 */
export const pingCodec: Codec<Ping> = {
  encode: general.encode,
  decode(bytes, start, end) {
    let timestamp = 0;
    let uptime = 0;
    let signal = 0;
    let ip = '';
    at = start;
    while (at < end) {
      const tag = bytes[at++];
      if (tag === TIMESTAMP) timestamp = varint(bytes, end);
      else if (tag === UPTIME) uptime = varint(bytes, end);
      else if (tag === SIGNAL) signal = signed(bytes, end);
      else if (tag === IP) ip = ascii(bytes, end);
      else at = -1;
      if (at < 0 || uptime > 0xffff_ffff) return general.decode(bytes, start, end);
    }
    return {$type: 'paybox.Ping', timestamp, uptime, signal, ip};
  },
};

/** A varint of up to seven bytes: below 2^49. */
function varint(bytes: Uint8Array, end: number): number {
  let value = 0;
  let weight = 1;
  const limit = at + 7 < end ? at + 7 : end;
  while (at < limit) {
    const byte = bytes[at++]!;
    if (byte < 0x80) return value + byte * weight;
    value += (byte & 0x7f) * weight;
    weight *= 0x80;
  }
  at = -1;
  return 0;
}

/** An int32: one to four bytes, or the ten of a negative number. */
function signed(bytes: Uint8Array, end: number): number {
  const start = at;
  let bits = 0;
  for (let shift = 0; shift < 28 && at < end; shift += 7) {
    const byte = bytes[at++]!;
    bits |= (byte & 0x7f) << shift;
    if (byte < 0x80) return bits;
  }
  // Sign extension to 64 bits: …1111 after the first 32.
  const last = start + 9;
  if (last >= end || bytes[last] !== 0x01) {
    at = -1;
    return 0;
  }
  for (let index = start + 5; index < last; index++) {
    if (bytes[index] !== 0xff) {
      at = -1;
      return 0;
    }
  }
  const fifth = bytes[start + 4]!;
  at = (fifth & 0xf8) === 0xf8 ? last + 1 : -1;
  return bits | (fifth << 28);
}

const SHORT = 45;

/** Text of up to 45 ASCII characters: the longest IP address. */
function ascii(bytes: Uint8Array, end: number): string {
  const length = bytes[at++];
  if (length === undefined || length > SHORT || at + length > end) {
    at = -1;
    return '';
  }
  let text = '';
  for (const stop = at + length; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80) {
      at = -1;
      return '';
    }
    text += CHARACTERS[byte];
  }
  return text;
}

const CHARACTERS: readonly string[] = Array.from({length: 0x80}, (_, code) => String.fromCharCode(code));
