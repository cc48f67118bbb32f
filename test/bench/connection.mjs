// One device's connection on the load side, as cheap as Node has it: all sockets read into one buffer.
import {connect as tlsConnect} from 'node:tls';
import {addressOf} from './devices.mjs';

const LENGTH_BYTES = 4;
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

function onBytes(size, bytes) {
  this.connection.received(size, bytes);
  return true;
}

export class Connection {
  constructor(socket, device) {
    this.socket = socket;
    this.device = device;
    /** Bytes that are still to come before `replied` is called. */
    this.wanted = 0;
    this.replied = undefined;
    this.session = undefined;
    socket.connection = this;
  }

  received(size, bytes) {
    if (this.frame !== undefined) {
      this.frame.push(Buffer.from(bytes.subarray(0, size)));
      const all = Buffer.concat(this.frame);
      if (all.length < LENGTH_BYTES || all.length < LENGTH_BYTES + all.readUInt32BE(0)) return;
      this.frame = undefined;
      this.gotFrame(all);
      return;
    }
    this.wanted -= size;
    if (this.wanted <= 0) this.replied(this);
  }

  /** Sends a frame and resolves with the whole frame that comes back. */
  exchange(frame) {
    return new Promise((resolve, reject) => {
      this.frame = [];
      this.gotFrame = resolve;
      this.failed = reject;
      this.socket.write(frame);
    });
  }

  /** Sends bytes whose answer has `answered` bytes; `replied` is called then. */
  ask(bytes, answered, replied) {
    this.wanted += answered;
    this.replied = replied;
    this.socket.write(bytes);
  }

  close() {
    if (this.socket.destroyed) return undefined;
    return new Promise((resolve) => {
      this.socket.once('close', resolve);
      this.failed = undefined;
      this.socket.end();
    });
  }
}

const TICK_MS = 50;
const LONGEST_STEP_MS = 100;
const patience = new Set();
let now = 0;
let last = 0;
let ticker;

/**
 * Calls `tooLong` unless the function it answers is called within `ms`. Thousands of devices share this process: while
 * it is busy with others, a device's own clock stands still.
 */
function notLongerThan(ms, tooLong) {
  const entry = {due: now + ms, tooLong};
  patience.add(entry);
  if (ticker === undefined) {
    last = performance.now();
    ticker = setInterval(tick, TICK_MS);
  }
  return () => patience.delete(entry);
}

function tick() {
  const at = performance.now();
  now += Math.min(at - last, LONGEST_STEP_MS);
  last = at;
  for (const entry of patience) {
    if (entry.due > now) continue;
    patience.delete(entry);
    entry.tooLong();
  }
  if (patience.size > 0) return;
  clearInterval(ticker);
  ticker = undefined;
}

/** Resolves with a connection past its handshake; rejects when there is none within `timeoutMs`, if that is given. */
export function connect({port, device, context, session, keepSession = false, timeoutMs = 0}) {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      localAddress: addressOf(device),
      secureContext: context,
      session,
      onread: {buffer, callback: onBytes},
    });
    const connection = new Connection(socket, device);
    let fault;
    const done = timeoutMs > 0 ? notLongerThan(timeoutMs, () => socket.destroy(new Error('timeout'))) : () => {};
    connection.failed = reject;
    socket.on('error', (error) => {
      fault ??= error;
    });
    socket.on('close', () => {
      done();
      connection.failed?.(fault ?? new Error('closed by the server'));
      connection.lost?.();
    });
    if (keepSession) {
      socket.on('session', (ticket) => {
        connection.session = ticket;
      });
    }
    socket.once('secureConnect', () => {
      done();
      socket.setNoDelay(true);
      connection.failed = undefined;
      resolve(connection);
    });
  });
}
