import {randomBytes} from 'node:crypto';
import {codeOf, messageOf} from '../errors.js';
import {type Log, printable, rateLimitedLog} from '../observe/index.js';
import {Alarm, type CloseReason, type DeadlineWheel, PENALTY_MS} from '../session/index.js';
import type {Store} from '../store/index.js';
import {LastSeen} from './last-seen.js';
import {type DeviceInfo, type DeviceListing, Listing} from './listing.js';
import {Marks} from './marks.js';
import {News} from './news.js';
import {type Clock, Online, type OnlineDevice, type OnlineOptions, type OnlineTable} from './online.js';
import {registerDevice} from './operations.js';

export interface DevicesOptions {
  readonly store: Store;
  readonly online: OnlineTable;
  readonly session: OnlineOptions['session'];
  /** The one of the connections: their `heardAt` is its time. */
  readonly wheel: DeadlineWheel;
  readonly log: Log;
  /** UTC milliseconds; by default the time of the start plus what has passed since, whatever the clock is set to. */
  readonly now?: () => number;
  /** Events were added to the outbox. */
  eventsStored(): void;
}

export interface Registration {
  readonly deviceId: string;
  readonly protocol: string;
  readonly model: string;
  readonly firmware: string;
}

/** What the server knows of its devices. */
export interface Devices {
  /**
   * Answers when it is stored; `first` when it has not registered before.
   * @throws PaynetError of the store
   */
  register(registration: Registration): Promise<{first: boolean}>;
  /** A device has logged in and is in the table. */
  loggedIn(device: OnlineDevice, resumed: boolean): void;
  /** A device's connection is gone, and out of the table. */
  disconnected(device: OnlineDevice, reason: CloseReason): void;
  /** A device did not acknowledge a command in time. */
  ackTimedOut(deviceId: string): void;
  /** How surely a device is online, 0 to 100; 0 when it is not connected. */
  score(deviceId: string): number;
  isOnline(deviceId: string): boolean;
  get(deviceId: string): Promise<DeviceInfo | undefined>;
  /**
   * Without `online` those that were seen last come first, with true in the order in which they came, with false those
   * that are away longest.
   */
  list(listing: DeviceListing): Promise<{items: DeviceInfo[]; total: number}>;
  /** How many are stored, and how many of all are online. */
  count(): Promise<{known: number; online: number}>;
  /** Writes what came and went last. To be called after the connections have ended; nothing is noted any more. */
  stop(): Promise<void>;
}

const EVERY_MS = 1000;
/** What a device may say of itself in each field. */
const LONGEST = 128;

/**
 * The ends that say nothing of the device or its line, and so are no penalty when it comes back: we closed it for
 * reasons of our own, the operator or the end of its certificate wanted it, or it had a newer connection already.
 */
const NOT_ITS_FAULT: ReadonlySet<CloseReason> = new Set([
  'replaced',
  'kicked',
  'certificate_revoked',
  'shutdown',
  'stopped',
  'internal_error',
]);

/**
 * Keeps what the server knows of its devices: who they are, when they were last heard, whether they are online. What is
 * stored is written once a second, in batches; memory is only for what makes the score.
 */
export function createDevices(options: DevicesOptions): Devices {
  const {store, online: table, session, wheel, eventsStored} = options;
  const now = options.now ?? (() => Math.round(performance.timeOrigin + performance.now()));
  const clock: Clock = {
    get steady() {
      return wheel.now;
    },
    utc: (steady) => Math.round(now() - (wheel.now - steady)),
  };
  const downs = new Marks(PENALTY_MS);
  const ackTimeouts = new Marks(PENALTY_MS);
  const online = new Online({table, session, downs, ackTimeouts, clock});
  const listing = new Listing(store, online);
  const lastSeen = new LastSeen(store, table, clock);
  const news = new News(store, eventsStored);
  const note = rateLimitedLog(options.log);
  // The connections of every process are numbered from one.
  const run = randomBytes(6).toString('hex');
  let writing: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  const alarm = new Alarm(() => {
    wheel.schedule(alarm, EVERY_MS);
    downs.sweep(wheel.now);
    ackTimeouts.sweep(wheel.now);
    // While the store is slow nothing more is piled up before it.
    writing ??= write(true).finally(() => {
      writing = undefined;
    });
  });
  wheel.schedule(alarm, EVERY_MS);

  async function write(turn: boolean): Promise<void> {
    const results = await Promise.allSettled([lastSeen.write(turn), news.write()]);
    for (const result of results) {
      if (result.status === 'rejected') complain(result.reason);
    }
    tellOfLost();
  }

  function complain(error: unknown): void {
    const fields = {code: codeOf(error), reason: messageOf(error), waitingEvents: news.waiting};
    note.warn('write', fields, 'news of devices cannot be stored now');
  }

  function tellOfLost(): void {
    if (news.lost === 0 && lastSeen.lost === 0) return;
    options.log.error(
      {events: news.lost, lastSeen: lastSeen.lost},
      'the store was away too long: events of devices are lost',
    );
    news.lost = 0;
    lastSeen.lost = 0;
  }

  function tell(device: OnlineDevice, isOnline: boolean, reason: string): void {
    const {deviceId, connection} = device;
    news.add({
      connection: `${run}-${connection.id}`,
      deviceId,
      online: isOnline,
      reason,
      at: now(),
      lastSeenAt: online.lastSeenAt(device),
    });
  }

  async function end(): Promise<void> {
    wheel.cancel(alarm);
    await writing;
    await write(false);
    if (news.waiting > 0)
      options.log.error({events: news.waiting}, 'events of devices are lost: they cannot be stored');
  }

  return {
    async register({deviceId, protocol, model, firmware}) {
      // Stored, and told to others: it is a stranger's text.
      const said = {model: printable(model, LONGEST), firmware: printable(firmware, LONGEST)};
      const {first} = await store.run(registerDevice, {deviceId, protocol, ...said, at: now()});
      if (first) eventsStored();
      return {first};
    },
    loggedIn(device, resumed) {
      if (stopped !== undefined) return;
      if (lastSeen.came(device)) tell(device, true, resumed ? 'resumed' : 'login');
    },
    disconnected(device, reason) {
      const {deviceId, connection} = device;
      const holder = table.get(deviceId);
      // The end of an older connection is no end of the device's newer one.
      if (stopped !== undefined || (holder !== undefined && holder.connection.id !== connection.id)) return;
      if (!NOT_ITS_FAULT.has(reason)) downs.set(deviceId, wheel.now);
      lastSeen.went(device);
      tell(device, false, reason);
    },
    ackTimedOut(deviceId) {
      ackTimeouts.set(deviceId, wheel.now);
    },
    score: (deviceId) => online.score(table.get(deviceId)),
    isOnline: (deviceId) => online.isOnline(table.get(deviceId)),
    get: (deviceId) => listing.get(deviceId),
    list: (wanted) => listing.page(wanted),
    count: () => listing.count(),
    stop() {
      stopped ??= end();
      return stopped;
    },
  };
}
