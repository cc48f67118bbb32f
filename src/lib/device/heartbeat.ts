import {Ping} from '../registry/index.js';
import {Alarm, type DeadlineWheel, type SessionLog} from '../session/index.js';
import type {DeviceLink} from './link.js';

/** What a heartbeat says of the device: signal strength as the modem reports it, and its address. */
export interface DeviceStatus {
  signal: number;
  ip: string;
}

const NO_STATUS: DeviceStatus = {signal: 0, ip: ''};

/** A client's heartbeats while it is online, on the wheel that it shares with others. */
export class Heartbeat {
  readonly #wheel: DeadlineWheel;
  readonly #status: () => DeviceStatus;
  readonly #log: SessionLog;
  readonly #startedAt = performance.now();
  readonly #alarm = new Alarm(() => this.#beat());
  #link: DeviceLink | undefined;
  #intervalMs = 0;
  /** When the one was sent that is not answered yet; 0: none is. */
  #sentAt = 0;

  constructor(wheel: DeadlineWheel, status: (() => DeviceStatus) | undefined, log: SessionLog) {
    this.#wheel = wheel;
    this.#status = status ?? (() => NO_STATUS);
    this.#log = log;
  }

  start(link: DeviceLink, intervalMs: number): void {
    this.#link = link;
    this.#intervalMs = intervalMs;
    this.#sentAt = 0;
    this.#wheel.schedule(this.#alarm, intervalMs);
  }

  stop(): void {
    this.#link = undefined;
    this.#wheel.cancel(this.#alarm);
  }

  /** The server has answered; the round trip in ms, undefined when nothing was to be answered. */
  answered(): number | undefined {
    if (this.#sentAt === 0) return undefined;
    const roundTripMs = performance.now() - this.#sentAt;
    this.#sentAt = 0;
    return roundTripMs;
  }

  #beat(): void {
    const link = this.#link;
    if (link === undefined || !link.connection.open) return;
    this.#wheel.schedule(this.#alarm, this.#intervalMs);
    try {
      this.#send(link, this.#status());
    } catch (error) {
      // Whatever is wrong with the status, the device is alive.
      this.#log.error({err: error}, 'the status for the heartbeat is not usable');
      this.#send(link, NO_STATUS);
    }
  }

  #send(link: DeviceLink, {signal, ip}: DeviceStatus): void {
    const uptime = Math.floor((performance.now() - this.#startedAt) / 1000);
    link.send('Ping', Ping.create({timestamp: Date.now(), uptime, signal, ip}));
    this.#sentAt = performance.now();
  }
}
