import type {Connection, Receiver} from '../session/index.js';
import {chooseAdapter, type LinkRoom, type Peer, type ProtocolAdapter} from './adapter.js';

/** The longest prefix any protocol needs. */
const PREFIX_BYTES = 8;

/** Holds a connection's first bytes until they show which protocol it speaks, and hands it to that adapter. */
export function sniff(
  connection: Connection,
  peer: Peer,
  adapters: readonly ProtocolAdapter[],
  room: LinkRoom,
  onUnknown: (prefix: Buffer) => void,
): Receiver {
  let prefix: Buffer | undefined;
  return {
    feed(chunk) {
      prefix = prefix === undefined ? chunk : Buffer.concat([prefix, chunk]);
      const adapter = chooseAdapter(adapters, prefix);
      if (adapter === 'need more' && prefix.length < PREFIX_BYTES) return;
      if (adapter === undefined || adapter === 'need more') {
        onUnknown(prefix.subarray(0, PREFIX_BYTES));
        connection.close('protocol_unknown');
        return;
      }
      const driver = adapter.open(connection, peer, room);
      connection.handOver(driver);
      driver.feed(prefix);
    },
    resume() {},
    expired() {},
    closed() {},
  };
}
