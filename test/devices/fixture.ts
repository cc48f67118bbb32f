import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {onTestFinished} from 'vitest';
import {createDevices, DEVICE_OPERATIONS, type Devices, type OnlineDevice} from '../../src/lib/devices/index.js';
import {touchDevices} from '../../src/lib/devices/operations.js';
import type {Log} from '../../src/lib/observe/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import {openStore, type Params, prepare, type Store, type StoreTarget} from '../../src/lib/store/index.js';

export const T = 1_795_000_000_000;

export function sqliteTarget(): StoreTarget {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-devices-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return {engine: 'sqlite', path: join(folder, 'paynet.db')};
}

export async function open(target: StoreTarget = sqliteTarget()): Promise<Store> {
  const log = {info: () => {}, warn: () => {}, error: () => {}};
  const store = await openStore(target, {operations: [DEVICE_OPERATIONS], log});
  onTestFinished(() => store.close());
  return store;
}

export const allDevices = prepare((db) => db.selectFrom('devices').selectAll().orderBy('device_id'));

const eventsOf = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('events').selectAll().where('device_id', '=', p.deviceId).orderBy('id'),
);

/** What the outbox has to tell of a device: type and data. */
export async function eventsOfDevice(store: Store, deviceId: string): Promise<[string, Record<string, unknown>][]> {
  const events = await store.read(eventsOf, {deviceId});
  return events.map(({type, data}) => [type, JSON.parse(data) as Record<string, unknown>]);
}

export const eventIds = prepare((db) => db.selectFrom('events').select('event_id').orderBy('id'));

export const silentLog: Log = {debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog};

export interface Line {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

/** A connection as the room sees it: the fields of a driver. */
export type TestDevice = {
  -readonly [K in keyof OnlineDevice]: K extends 'connection'
    ? {id: string; heardAt: number; open: boolean}
    : OnlineDevice[K];
};

/** The room over a real store, with a table and a time that the test makes. */
export class Bench {
  readonly table = new Map<string, TestDevice>();
  readonly wheel = new DeadlineWheel();
  readonly lines: Line[] = [];
  /** How often the sender of events was woken. */
  woken = 0;
  /** The timeout of the protocol, in milliseconds. */
  readonly timeouts: Record<string, number> = {bkv: 150_000};
  readonly devices: Devices;
  #connections = 0;
  #fences = 0;

  constructor(readonly store: Store) {
    const line = (level: string) => (fields: object, message: string) => {
      this.lines.push({level, fields: fields as Record<string, unknown>, message});
    };
    const log: Log = {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: () => log,
    };
    this.devices = createDevices({
      store,
      online: this.table,
      session: {timeoutMs: (protocol) => this.timeouts[protocol] ?? 60_000, freshness: 'graded'},
      wheel: this.wheel,
      log,
      now: () => this.now,
      eventsStored: () => {
        this.woken += 1;
      },
    });
    onTestFinished(() => this.devices.stop());
  }

  /** UTC milliseconds. */
  get now(): number {
    return T + this.wheel.now;
  }

  /** A device logs in. */
  comes(deviceId: string, {protocol = 'paynet', resumed = false, signal = 0} = {}): TestDevice {
    this.#connections += 1;
    const connection = {id: `c${this.#connections}`, heardAt: this.wheel.now, open: true};
    const device: TestDevice = {deviceId, protocol, signal, connection};
    this.table.set(deviceId, device);
    this.devices.loggedIn(device, resumed);
    return device;
  }

  goes(device: TestDevice, reason: Parameters<Devices['disconnected']>[1] = 'peer_closed'): void {
    device.connection.open = false;
    if (this.table.get(device.deviceId) === device) this.table.delete(device.deviceId);
    this.devices.disconnected(device, reason);
  }

  /** Lets the time pass, a second at a time, and everything be written that follows. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.wheel.advance(1000);
      await this.settled();
    }
  }

  /** How many operations the room has run. */
  get operations(): number {
    return this.store.figures.operations - this.#fences;
  }

  /** Resolves when everything is written that follows from what has happened. SQLite only. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const before = this.operations;
      // The store answers in the order of the calls: this one after everything that was asked for before.
      await this.store.run(touchDevices, []);
      this.#fences += 1;
      await setImmediate();
      quiet = this.operations === before ? quiet + 1 : 0;
    }
  }
}
