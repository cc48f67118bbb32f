import type {Socket} from 'node:net';
import {PaynetError} from '../errors.js';
import type {Outgoing, Transmitter} from './outgoing.js';
import type {Deadline, DeadlineWheel} from './wheel.js';

/** Why a connection ended; a metric label, so the set is closed. */
export type CloseReason =
  | 'peer_closed'
  | 'connection_error'
  | 'login_timeout'
  | 'heartbeat_timeout'
  | 'slow_reader'
  | 'frame_error'
  | 'protocol_unknown'
  | 'replaced'
  | 'kicked'
  | 'certificate_revoked'
  | 'shutdown'
  | 'stopped'
  | 'internal_error';

/** What is counted per frame and byte: plain fields, so that counting costs an addition. */
export interface TrafficCounters {
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
}

/** What all connections of a listener, or of a client, have in common. */
export interface ConnectionRoom {
  wheel: DeadlineWheel;
  outgoing: Outgoing;
  counters: TrafficCounters;
  limits: {
    /** Unsent bytes after which a peer that does not read is dropped. */
    writeBuffer: number;
    /** Frames per second and connection; 0 means no limit. */
    messagesPerSecond: number;
    messageBurst: number;
  };
  /** A connection is gone. */
  ended?(connection: Connection): void;
}

/** What reads a connection: a protocol's driver, or the device's session. */
export interface Receiver {
  /** Takes a chunk. When the connection is paused meanwhile, the rest of the chunk is the receiver's to keep. */
  feed(chunk: Buffer): void;
  /** Goes on with what was kept; may pause again. */
  resume(): void;
  /** The login or heartbeat limit has passed: say so to the peer, if the protocol can. */
  expired(reason: CloseReason): void;
  /** The connection is gone. Called once. */
  closed(reason: CloseReason): void;
}

/** Why reading has stopped: bits, since both can be true. */
const FOR_RATE = 1;
const FOR_BACKLOG = 2;

/** How long a peer has to take a farewell and close its side. */
const FAREWELL_MS = 2000;

const kConnection = Symbol('connection');
interface ConnectedSocket extends Socket {
  [kConnection]: Connection;
}

// One set of listeners for all sockets: a connection has no closures of its own.
function onData(this: ConnectedSocket, chunk: Buffer): void {
  this[kConnection].read(chunk);
}
function onError(this: ConnectedSocket, error: Error): void {
  this[kConnection].broken(error);
}
function onClose(this: ConnectedSocket): void {
  this[kConnection].ended();
}

let connections = 0;

/**
 * One socket's life, whatever protocol it speaks: reading and pausing, gathered writes, the login and heartbeat
 * deadline, the slow-reader limit and one reason for its end. It holds no timer of its own and, between chunks, no
 * bytes.
 */
export class Connection implements Deadline, Transmitter {
  readonly number = ++connections;
  readonly socket: Socket;
  readonly remoteAddress: string;
  /** The first error of the socket. */
  error: Error | undefined = undefined;
  closeReason: CloseReason | undefined = undefined;
  wheelSlot = -1;
  wheelDue = 0;
  wheelNext: Deadline | undefined = undefined;
  wheelPrevious: Deadline | undefined = undefined;
  #lastFrame: number;
  /** When the connection must be over, by the wheel's time; 0: counted from the last frame. */
  #fixedDue = 0;
  #idleLimit = 0;
  #expiry: CloseReason = 'heartbeat_timeout';
  #tokens: number;
  #tokensAt: number;
  #paused = 0;
  #finished = false;
  readonly #room: ConnectionRoom;
  #receiver: Receiver | undefined = undefined;

  constructor(socket: Socket, room: ConnectionRoom) {
    this.socket = socket;
    this.#room = room;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.#lastFrame = room.wheel.now;
    this.#tokens = room.limits.messageBurst;
    this.#tokensAt = room.wheel.now;
    (socket as ConnectedSocket)[kConnection] = this;
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  /** Unique in this process; what the logs call it. */
  get id(): string {
    return `c${this.number}`;
  }

  get open(): boolean {
    return this.closeReason === undefined;
  }

  /** False while paused and after the close: the receiver keeps what it has not handled. */
  get reading(): boolean {
    return this.#paused === 0 && this.closeReason === undefined;
  }

  /**
   * When the last whole frame came, by the wheel's time: `wheel.now - heardAt` is the peer's silence. A pause of our
   * own reading counts as heard when it ends.
   */
  get heardAt(): number {
    return this.#lastFrame;
  }

  get outgoing(): Outgoing {
    return this.#room.outgoing;
  }

  /** Begins to read. */
  start(receiver: Receiver): void {
    this.#receiver = receiver;
    this.socket.on('data', onData);
  }

  /** Gives the bytes to another receiver from now on. */
  handOver(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** Ends the connection with `reason` unless the limit is changed within `ms`, whatever arrives. */
  expireIn(ms: number, reason: CloseReason): void {
    this.#fixedDue = this.#room.wheel.now + ms;
    this.#expiry = reason;
    this.#waitForDeadline(ms);
  }

  /** Ends the connection when no whole frame arrives for `ms`. */
  expireWhenSilent(ms: number, reason: CloseReason): void {
    this.#fixedDue = 0;
    this.#idleLimit = ms;
    this.#expiry = reason;
    this.#lastFrame = this.#room.wheel.now;
    this.#waitForDeadline(ms);
  }

  /**
   * Counts a whole frame. Over the rate, reading pauses after it until the wheel has given new allowance: a flood
   * waits in the sender's own buffers.
   */
  frameArrived(): void {
    const room = this.#room;
    room.counters.framesIn++;
    this.#lastFrame = room.wheel.now;
    if (room.limits.messagesPerSecond > 0 && --this.#tokens <= 0) this.#refill();
  }

  /** Stops reading because what was read cannot be handled yet. */
  pauseForBacklog(): void {
    this.#pause(FOR_BACKLOG);
  }

  resumeAfterBacklog(): void {
    this.#unpause(FOR_BACKLOG);
  }

  transmit(bytes: Buffer): void {
    if (this.#finished || this.socket.writableEnded || this.socket.destroyed) return;
    const room = this.#room;
    // Asked before the write: what it adds the peer has had no chance to read.
    if (this.socket.writableLength > room.limits.writeBuffer) {
      this.destroy('slow_reader');
      return;
    }
    room.counters.bytesOut += bytes.length;
    this.socket.write(bytes);
  }

  /** Sends what is gathered, closes our side and gives the peer a moment to close its own. */
  close(reason: CloseReason): void {
    if (this.closeReason !== undefined) return;
    this.closeReason = reason;
    this.#room.outgoing.flush();
    // Nothing is handled any more, but the peer's bytes must be read for its close to be seen.
    this.socket.end();
    this.socket.resume();
    this.#room.wheel.schedule(this, FAREWELL_MS);
  }

  /** Ends the connection at once. */
  destroy(reason: CloseReason): void {
    this.closeReason ??= reason;
    this.socket.destroy();
  }

  /** Throws CONNECTION_CLOSED when nothing can be sent any more. */
  assertOpen(): void {
    if (this.open) return;
    throw new PaynetError('CONNECTION_CLOSED', `connection ${this.id} is closed (${this.closeReason})`);
  }

  onDeadline(): void {
    if (this.closeReason !== undefined) {
      this.socket.destroy();
      return;
    }
    const {wheel} = this.#room;
    if (this.#fixedDue > 0 && this.#fixedDue <= wheel.now) {
      this.#expire();
      return;
    }
    if ((this.#paused & FOR_RATE) !== 0) {
      this.#refill();
      // Going on may have paused again, or ended it: then the wheel has its next date already.
      if ((this.#paused & FOR_RATE) !== 0 || this.closeReason !== undefined) return;
    }
    // While we do not read, the peer's silence is our own.
    if (this.#paused !== 0) this.#lastFrame = wheel.now;
    const due = this.#fixedDue > 0 ? this.#fixedDue : this.#lastFrame + this.#idleLimit;
    if (due > wheel.now) wheel.schedule(this, due - wheel.now);
    else if (this.#idleLimit > 0) this.#expire();
  }

  /** The socket's listeners call these three. */
  read(chunk: Buffer): void {
    const room = this.#room;
    room.counters.bytesIn += chunk.length;
    if (this.closeReason !== undefined) return;
    room.outgoing.hold();
    try {
      this.#receiver?.feed(chunk);
    } finally {
      room.outgoing.release();
    }
  }

  broken(error: Error): void {
    this.error ??= error;
    this.closeReason ??= 'connection_error';
  }

  ended(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.closeReason ??= 'peer_closed';
    this.#room.wheel.cancel(this);
    this.#receiver?.closed(this.closeReason);
    this.#receiver = undefined;
    this.#room.ended?.(this);
  }

  #waitForDeadline(ms: number): void {
    // While the rate holds the connection back, the wheel calls soon anyway, and must: only that lets it go on.
    if ((this.#paused & FOR_RATE) === 0) this.#room.wheel.schedule(this, ms);
  }

  #expire(): void {
    this.#receiver?.expired(this.#expiry);
    this.close(this.#expiry);
  }

  /** Takes the allowance earned since the last time; without any, reading stops until the wheel asks again. */
  #refill(): void {
    const {wheel, limits} = this.#room;
    const earned = Math.floor(((wheel.now - this.#tokensAt) * limits.messagesPerSecond) / 1000);
    if (earned > 0) {
      this.#tokens = Math.min(limits.messageBurst, this.#tokens + earned);
      // Not `now`: the part of a message that is earned already counts next time.
      this.#tokensAt += (earned * 1000) / limits.messagesPerSecond;
    }
    if (this.#tokens > 0) {
      this.#unpause(FOR_RATE);
      return;
    }
    this.#pause(FOR_RATE);
    wheel.schedule(this, 1000 / limits.messagesPerSecond);
  }

  #pause(why: number): void {
    // After the close the peer's bytes are read and thrown away.
    if (this.closeReason !== undefined) return;
    this.#paused |= why;
    this.socket.pause();
  }

  #unpause(why: number): void {
    if ((this.#paused & why) === 0) return;
    this.#paused &= ~why;
    if (!this.reading) return;
    const {outgoing, wheel} = this.#room;
    // What the peer has sent meanwhile is still unread.
    this.#lastFrame = wheel.now;
    outgoing.hold();
    try {
      this.#receiver?.resume();
    } finally {
      outgoing.release();
    }
    if (this.reading) this.socket.resume();
  }
}
