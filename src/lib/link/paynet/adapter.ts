import type {LinkCounters} from '../../observe/index.js';
import type {CloseReason, ResumeTokens, SessionRoom} from '../../session/index.js';
import type {DeviceEvent, ProtocolAdapter} from '../adapter.js';
import type {LinkHooks} from '../hooks.js';
import {PaynetDriver} from './driver.js';

/** What all paynet connections of a gateway have in common. */
export interface PaynetRoom {
  session: SessionRoom;
  hooks: LinkHooks;
  tokens: ResumeTokens;
  /** Whether device_sn and device_id must belong to the certificate. */
  bindCertificate: boolean;
  counters: Pick<LinkCounters, 'logins' | 'registrations'>;
  emit(event: DeviceEvent): void | Promise<void>;
  /** A device has logged in on this connection. */
  online(driver: PaynetDriver): void;
  /** `sentAt` is the device's clock, `now` ours; both UTC milliseconds. */
  heartbeat(driver: PaynetDriver, sentAt: number, now: number): void;
  /** The device sent an ErrorMsg. */
  reported(driver: PaynetDriver, code: number, text: string): void;
  disconnected(driver: PaynetDriver, wasOnline: boolean, reason: CloseReason): void;
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
