/** The payload of a Pong with this timestamp (0 to 2^53 - 1): the one message that every heartbeat costs. */
export function pongPayload(timestamp: number): Uint8Array {
  if (timestamp === last) return payload;
  last = timestamp;
  // Field 1, varint. All heartbeats of one millisecond share the bytes, which are never written to again.
  const bytes = new Uint8Array(9);
  bytes[0] = 0x08;
  let length = 1;
  let rest = timestamp;
  while (rest >= 0x80) {
    bytes[length++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[length++] = rest;
  payload = timestamp === 0 ? new Uint8Array(0) : bytes.subarray(0, length);
  return payload;
}

let last = 0;
let payload = new Uint8Array(0);
