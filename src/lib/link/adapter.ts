import type {CloseReason, Connection, DeadlineWheel, Receiver} from '../session/index.js';
import type {PeerIdentity} from '../tls/index.js';
import type {LinkHooks} from './hooks.js';

/**
 * The seam between the wire and everything else: a protocol adapter turns bytes into device events and device commands
 * into bytes. It knows no order, no database and no HTTP. Adding a protocol is adding a folder with one of these.
 */
export interface ProtocolAdapter {
  /** As metrics, logs and interfaces call it: `paynet`, `bkv`, `ap3000`, `gn`. */
  readonly name: string;
  /** Whether a connection that begins with these bytes speaks the protocol. */
  sniff(prefix: Buffer): 'yes' | 'no' | 'need more';
  /** Takes a connection over; its driver is fed from then on. */
  open(connection: Connection, peer: Peer, room: LinkRoom): Driver;
}

/** What a gateway does for the drivers of its connections. */
export interface LinkRoom {
  /** For all limits of time. */
  readonly wheel: DeadlineWheel;
  /** Who may come in; a driver asks before it says `online`. */
  readonly hooks: LinkHooks;
  /** Takes the events; see `DeviceEventSink`. */
  readonly emit: DeviceEventSink;
  /**
   * The device of a driver is there: commands come from now on, and a long silence ends the connection. An older
   * connection of the device is dismissed. To be called once, when `deviceId` is set, before `loggedIn` is emitted.
   */
  online(driver: Driver): void;
  /** The connection of a driver that was `online` is gone: to be called from its `closed`. */
  offline(driver: Driver, reason: CloseReason): void;
}

/** Who is at the other end, as far as the transport knows. */
export interface Peer {
  /** From the certificate; undefined without mutual TLS and on plain TCP. */
  readonly identity: PeerIdentity | undefined;
  readonly remoteAddress: string;
}

/** One connection's protocol: fed with bytes, handed commands. */
export interface Driver extends Receiver {
  readonly connection: Connection;
  readonly peer: Peer;
  readonly protocol: string;
  /** Empty until the device has logged in. */
  readonly deviceId: string;
  /** Strength as the device's modem reports it, a whole number, where the protocol tells; 0 before it has. */
  readonly signal?: number;
  readonly supports: ReadonlySet<DeviceCommand['kind']>;
  /**
   * Writes a command to the device. Resolves with what the device answers, if the protocol has such an answer (the state
   * of a queried order, the acknowledgement of a start or a stop); acks of coins come as events. Rejects with
   * COMMAND_UNSUPPORTED, COMMAND_REFUSED (the device says no), CONNECTION_CLOSED, QUERY_TIMEOUT, or a RangeError for a
   * value that its field cannot hold.
   */
  command(command: DeviceCommand): Promise<CommandAnswer | undefined>;
  /** Tells the device why, as far as the protocol can, and closes. */
  dismiss(reason: CloseReason, text: string): void;
}

export type CoinProgress = 'accepted' | 'running' | 'done' | 'failed';

/** What a device does at the gateway's word. Amounts of time are seconds, of energy watt-hours, of power watts. */
export type DeviceCommand =
  | {kind: 'coin'; orderId: string; coins: number; timeoutSeconds: number}
  | {kind: 'queryOrder'; orderId: string; timeoutMs: number}
  | {kind: 'startCharge'; port: number; orderId: string; mode: ChargeMode; serviceFeePermille?: number}
  | {kind: 'stopCharge'; port: number; orderId?: string}
  | {kind: 'queryPort'; port?: number}
  | {kind: 'setParams'; params: readonly {id: number; value: string | number}[]}
  | {kind: 'network'; action: 'refresh' | 'add' | 'delete'; channel?: number; nodes: readonly NetworkNode[]}
  | {kind: 'ota'; host: string; port: number; file: string; version: string; socket?: number}
  | {kind: 'raw'; type: number; payload: Uint8Array};

export type ChargeMode =
  | {by: 'time'; seconds: number}
  | {by: 'energy'; wattHours: number}
  | {by: 'power'; tiers: readonly {watts: number; cents: number; seconds: number}[]}
  | {by: 'full'};

export interface NetworkNode {
  socket: number;
  /** Twelve hex digits. */
  mac?: string;
}

export type CommandAnswer = OrderAnswer | Acknowledgement;

/** A device has taken a command; `charging`: with that it charges, for its protocol has no separate sign of it. */
export interface Acknowledgement {
  acknowledged: true;
  charging: boolean;
}

/** What a device says of an order when asked. */
export type OrderAnswer =
  | {found: true; state: CoinProgress; progress: number; error: string; certain: boolean}
  | {found: false};

interface EventBase {
  driver: Driver;
  /** UTC milliseconds at which the gateway had it. */
  at: number;
}

/** What happens at a device. */
export type DeviceEvent = EventBase &
  (
    | {kind: 'registered'; deviceId: string; model: string; firmware: string; first: boolean}
    | {kind: 'loggedIn'; deviceId: string; version: string; resumed: boolean}
    | {kind: 'heartbeat'; deviceId: string; uptimeSeconds: number; signal: number; ip: string}
    | {kind: 'commandAck'; deviceId: string; orderId: string; state: CoinProgress; progress: number; error: string}
    | {
        kind: 'portStatus';
        deviceId: string;
        port: number;
        status: 'free' | 'occupied' | 'charging' | 'fault';
        raw: number;
      }
    | {
        kind: 'orderProgress';
        deviceId: string;
        port: number;
        orderId: string;
        watts: number;
        wattHours: number;
        seconds: number;
      }
    | {
        kind: 'orderEnded';
        deviceId: string;
        port: number;
        orderId: string;
        wattHours: number;
        seconds: number;
        reason: string;
      }
    | {kind: 'cardSwiped'; deviceId: string; card: string; port?: number}
    | {kind: 'alarm'; deviceId: string; alarm: string; text: string; port?: number}
    | {kind: 'other'; deviceId: string; name: string; message: unknown}
    | {kind: 'disconnected'; deviceId: string; reason: CloseReason}
  );

/**
 * Takes the events. It may throw or reject with a `Refusal`: the device is then told (an ack for an order that is not
 * its own). A promise holds the device's next message back, so that an answer follows what it depends on.
 */
export type DeviceEventSink = (event: DeviceEvent) => void | Promise<void>;

/** Picks the adapter for a connection's first bytes; `need more` while more than one could still be meant. */
export function chooseAdapter(
  adapters: readonly ProtocolAdapter[],
  prefix: Buffer,
): ProtocolAdapter | 'need more' | undefined {
  let undecided = false;
  for (const adapter of adapters) {
    const answer = adapter.sniff(prefix);
    if (answer === 'yes' && !undecided) return adapter;
    if (answer === 'need more') undecided = true;
  }
  return undecided ? 'need more' : undefined;
}
