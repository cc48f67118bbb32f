import type {DeviceRow, Store} from '../store/index.js';
import type {Online, OnlineDevice} from './online.js';
import {byIds, countDevices, deviceById, devicesAwayLongest, devicesByIds, devicesPage, IDS} from './queries.js';

/** A device as it is stored, and as it is now. Times are UTC milliseconds. */
export interface DeviceInfo {
  readonly deviceId: string;
  readonly protocol: string;
  /** Null as long as it has not registered. */
  readonly model: string | null;
  readonly firmware: string | null;
  readonly rssi: number | null;
  readonly registeredAt: number;
  readonly lastSeenAt: number;
  readonly online: boolean;
  /** 0 to 100. */
  readonly score: number;
}

export interface DeviceListing {
  /** 1 to 1000. */
  readonly limit: number;
  readonly offset: number;
  /** Only those that are online, or only those that are not. */
  readonly online?: boolean | undefined;
}

/** Rows read at a time where those that are online must be passed over. */
const WALK = 1000;

/** Answers what is known of devices: the rows of the store with what the connections say. */
export class Listing {
  readonly #store: Store;
  readonly #online: Online;

  constructor(store: Store, online: Online) {
    this.#store = store;
    this.#online = online;
  }

  async get(deviceId: string): Promise<DeviceInfo | undefined> {
    const row = await this.#store.readFirst(deviceById, {deviceId});
    const device = this.#online.get(deviceId);
    return device === undefined ? row && this.#stored(row) : this.#connected(device, row);
  }

  async page({limit, offset, online}: DeviceListing): Promise<{items: DeviceInfo[]; total: number}> {
    if (online === true) return this.#onlinePage(limit, offset);
    if (online === false) return this.#offlinePage(limit, offset);
    const [rows, total] = await Promise.all([this.#store.read(devicesPage, {limit, offset}), this.#storedCount()]);
    return {items: rows.map((row) => this.#info(row)), total};
  }

  async count(): Promise<{known: number; online: number}> {
    return {known: await this.#storedCount(), online: this.#online.page(0, 0).total};
  }

  async #onlinePage(limit: number, offset: number): Promise<{items: DeviceInfo[]; total: number}> {
    const {page, total} = this.#online.page(limit, offset);
    const ids = page.map(({deviceId}) => deviceId);
    const parts = Array.from({length: Math.ceil(ids.length / IDS)}, (_, index) =>
      this.#store.read(devicesByIds, byIds(ids.slice(index * IDS, (index + 1) * IDS))),
    );
    const rows = new Map((await Promise.all(parts)).flat().map((row) => [row.device_id, row]));
    return {items: page.map((device) => this.#connected(device, rows.get(device.deviceId))), total};
  }

  /** The longest away first: so those that are online, which the store does not know, are met last. */
  async #offlinePage(limit: number, offset: number): Promise<{items: DeviceInfo[]; total: number}> {
    const items: DeviceInfo[] = [];
    let passed = 0;
    let after = {afterAt: -1, afterId: ''};
    for (let more = true; more && items.length < limit; ) {
      const rows = await this.#store.read(devicesAwayLongest, {...after, limit: WALK});
      const away = rows.filter(({device_id: id}) => !this.#online.isOnline(this.#online.get(id)));
      const from = Math.max(0, offset - passed);
      items.push(...away.slice(from, from + limit - items.length).map((row) => this.#info(row)));
      passed += away.length;
      const last = rows.at(-1);
      if (last !== undefined) after = {afterAt: last.last_seen_at, afterId: last.device_id};
      more = rows.length === WALK;
    }
    const {known, online} = await this.count();
    return {items, total: Math.max(known - online, 0)};
  }

  async #storedCount(): Promise<number> {
    return (await this.#store.readFirst(countDevices))?.count ?? 0;
  }

  #info(row: DeviceRow): DeviceInfo {
    const device = this.#online.get(row.device_id);
    return device === undefined ? this.#stored(row) : this.#connected(device, row);
  }

  #stored(row: DeviceRow): DeviceInfo {
    return {
      deviceId: row.device_id,
      protocol: row.protocol,
      model: row.model,
      firmware: row.firmware,
      rssi: row.rssi,
      registeredAt: row.registered_at,
      lastSeenAt: row.last_seen_at,
      online: false,
      score: 0,
    };
  }

  /** One that has just logged in may not be stored yet. */
  #connected(device: OnlineDevice, row: DeviceRow | undefined): DeviceInfo {
    const {deviceId, protocol, signal = 0} = device;
    const lastSeenAt = this.#online.lastSeenAt(device);
    return {
      deviceId,
      protocol,
      model: row?.model ?? null,
      firmware: row?.firmware ?? null,
      rssi: signal === 0 ? (row?.rssi ?? null) : signal,
      registeredAt: row?.registered_at ?? lastSeenAt,
      lastSeenAt,
      online: this.#online.isOnline(device),
      score: this.#online.score(device),
    };
  }
}
