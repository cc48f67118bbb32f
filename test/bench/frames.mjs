// The bytes that devices send. Both servers get the same ones; the bare one sends them back.
import {CoinAck, encodeFrame, LoginReq, Ping} from '../../dist/index.js';

export const BUSINESS_UP = 0x40;
export const BUSINESS_DOWN = 0x41;
const HEADER_BYTES = 5;
/** A Pong: the header, a tag and the milliseconds of our days. */
const PONG_BYTES = HEADER_BYTES + 1 + 6;

const ping = encodeFrame(
  0x03,
  Ping.encode(Ping.create({timestamp: Date.now(), uptime: 86_400, signal: -67, ip: '10.20.30.40'})).finish(),
);
const business = encodeFrame(
  BUSINESS_UP,
  CoinAck.encode(CoinAck.create({orderId: 'order-20260101-0000000001', state: 1, progress: 50, error: ''})).finish(),
);

/** A frame of each kind with the length of what comes back for it. */
export function frameOf(kind, server) {
  const bytes = kind === 'ping' ? ping : business;
  const answered = kind === 'ping' && server === 'product' ? PONG_BYTES : bytes.length;
  return {bytes, answered};
}

export function loginFrame(deviceId) {
  return encodeFrame(0x02, LoginReq.encode(LoginReq.create({deviceId, token: '', version: '1.0.0'})).finish());
}
