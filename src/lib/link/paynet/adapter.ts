import type {LinkCounters} from '../../observe/index.js';
import type {ResumeTokens, SessionRoom} from '../../session/index.js';
import type {LinkRoom, ProtocolAdapter} from '../adapter.js';
import {PaynetDriver} from './driver.js';

/** What all paynet connections of a gateway have in common. */
export interface PaynetRoom extends LinkRoom {
  session: SessionRoom;
  tokens: ResumeTokens;
  /** Whether device_sn and device_id must belong to the certificate. */
  bindCertificate: boolean;
  counters: Pick<LinkCounters, 'logins' | 'registrations'>;
  /** `sentAt` is the device's clock, `now` ours; both UTC milliseconds. */
  heartbeat(driver: PaynetDriver, sentAt: number, now: number): void;
  /** The device sent an ErrorMsg. */
  reported(driver: PaynetDriver, code: number, text: string): void;
}

const LENGTH_AND_TYPE = 5;

/** The paynet protocol as one of the gateway's (paynet.md). */
export function paynetAdapter(room: PaynetRoom): ProtocolAdapter {
  const {registry, format} = room.session;
  return {
    name: 'paynet',
    sniff(prefix) {
      if (prefix.length < LENGTH_AND_TYPE) {
        // Other protocols begin with FC FE, FC FF or "DNY": as a length, each is over any limit.
        return prefix.length > 0 && prefix[0]! > format.maxFrame >>> 24 ? 'no' : 'need more';
      }
      const fits = prefix.readUInt32BE(0) <= format.maxFrame;
      return fits && registry.lookup(prefix[4]!, 'up') !== undefined ? 'yes' : 'no';
    },
    open: (connection, peer) => new PaynetDriver(connection, peer, room),
  };
}
