// Payment boxes on the load side: they answer each command with ACCEPTED and DONE, in a record each.
import {CoinAck, CoinCommand, encodeFrame} from '../../dist/index.js';

const COIN_COMMAND = 0x04;
const COIN_ACK = 0x84;
const HEADER_BYTES = 5;
const ACCEPTED = 0;
const DONE = 2;

const ack = (orderId, state, progress) =>
  encodeFrame(COIN_ACK, CoinAck.encode(CoinAck.create({orderId, state, progress, error: ''})).finish());

/**
 * Makes a connection execute what comes; `framed` is called for each command that is there. With `accept` ACCEPTED is
 * written before DONE.
 */
export function serveAsBox(connection, {accept, framed}) {
  let rest = Buffer.alloc(0);
  connection.received = (size, bytes) => {
    const chunk = Buffer.from(bytes.subarray(0, size));
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = 4 + rest.readUInt32BE(0);
      if (rest.length < end) return;
      if (rest[4] === COIN_COMMAND) execute(CoinCommand.decode(rest.subarray(HEADER_BYTES, end)).orderId);
      rest = rest.subarray(end);
    }
  };

  function execute(orderNo) {
    framed();
    if (accept) connection.socket.write(ack(orderNo, ACCEPTED, 0));
    setImmediate(() => connection.socket.write(ack(orderNo, DONE, 100)));
  }
}
