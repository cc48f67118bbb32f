import {once} from 'node:events';
import {createInterface} from 'node:readline';
import tls from 'node:tls';
import {PaynetError} from '../../src/lib/errors.js';
import type {CommandAnswer, DeviceCommand, Driver, LinkRoom, Peer, ProtocolAdapter} from '../../src/lib/link/index.js';
import type {CloseReason, Connection} from '../../src/lib/session/index.js';
import type {Site} from './site.js';

/**
 * A protocol of lines for tests. The pile says `PILE id`, `BEAT`, `STATE port state`, `WORK port order W Wh s` and `END
 * port order Wh s reason`, the server `WELCOME`, `SEEN order` and numbered commands: `n START port order mode`, `n STOP port
 * order`, `n PORT`, which the pile answers with `n OK`, `n NO why` or `n NEVER`.
 */
export const pileAdapter: ProtocolAdapter = {
  name: 'pile',
  sniff: (prefix) => {
    const start = prefix.toString('latin1', 0, 4);
    if (!'PILE'.startsWith(start)) return 'no';
    return start.length < 4 ? 'need more' : 'yes';
  },
  open: (connection, peer, room) => new PileDriver(connection, peer, room),
};

interface Waiting {
  resolve(answer: CommandAnswer): void;
  reject(error: Error): void;
}

class PileDriver implements Driver {
  readonly protocol = 'pile';
  readonly supports: ReadonlySet<DeviceCommand['kind']> = new Set(['startCharge', 'stopCharge', 'queryPort']);
  deviceId = '';
  #text = '';
  #number = 0;
  readonly #waiting = new Map<string, Waiting>();
  /** What the pile says is taken one after the other. */
  #before: Promise<void> = Promise.resolve();

  constructor(
    readonly connection: Connection,
    readonly peer: Peer,
    readonly room: LinkRoom,
  ) {}

  feed(chunk: Buffer): void {
    const lines = `${this.#text}${chunk.toString()}`.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      this.connection.frameArrived();
      const [first = '', ...rest] = line.split(' ');
      // An answer must not wait behind what waits for it.
      if (/^\d+$/.test(first)) this.#answered(first, rest);
      else
        this.#before = this.#before
          .then(() => this.#said(first, rest))
          .catch(() => this.connection.close('frame_error'));
    }
  }

  resume(): void {}
  expired(): void {}

  closed(reason: CloseReason): void {
    if (this.deviceId !== '') this.room.offline(this, reason);
    for (const {reject} of this.#waiting.values()) reject(new PaynetError('CONNECTION_CLOSED', 'the pile has left'));
    this.#waiting.clear();
  }

  dismiss(reason: CloseReason): void {
    this.connection.close(reason);
  }

  async command(command: DeviceCommand): Promise<CommandAnswer | undefined> {
    switch (command.kind) {
      case 'startCharge':
        return this.#ask(`START ${command.port} ${command.orderId} ${command.mode.by}`);
      case 'stopCharge':
        return this.#ask(`STOP ${command.port} ${command.orderId ?? '-'}`);
      case 'queryPort':
        return this.#ask('PORT');
      default:
        throw new PaynetError('COMMAND_UNSUPPORTED', `a pile cannot do "${command.kind}"`);
    }
  }

  #ask(line: string): Promise<CommandAnswer> {
    this.connection.assertOpen();
    this.#number += 1;
    const number = String(this.#number);
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, {resolve, reject});
      this.#write(`${number} ${line}`);
    });
  }

  #write(line: string): void {
    this.connection.outgoing.bytes(this.connection, Buffer.from(`${line}\n`));
  }

  #answered(number: string, [word, ...why]: string[]): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (word === 'OK') waiting?.resolve({acknowledged: true, charging: false});
    else if (word === 'NO') waiting?.reject(new PaynetError('COMMAND_REFUSED', why.join(' ')));
    else waiting?.reject(new PaynetError('COMMAND_UNSUPPORTED', 'the pile has no such command'));
  }

  async #said(word: string, said: string[]): Promise<void> {
    const at = Date.now();
    const {deviceId} = this;
    const event = {driver: this as Driver, at, deviceId};
    const [port, order = ''] = said;
    const numbers = said.slice(2).map(Number);
    switch (word) {
      case 'PILE':
        return this.#login(said[0] ?? '');
      case 'BEAT':
        return this.room.emit({...event, kind: 'heartbeat', uptimeSeconds: 1, signal: 0, ip: ''});
      case 'STATE': {
        const status = order as 'free' | 'occupied' | 'charging' | 'fault';
        return this.room.emit({...event, kind: 'portStatus', port: Number(port), status, raw: 0});
      }
      case 'WORK': {
        const [watts = 0, wattHours = 0, seconds = 0] = numbers;
        const told = {port: Number(port), orderId: order, watts, wattHours, seconds};
        return this.room.emit({...event, kind: 'orderProgress', ...told});
      }
      case 'END': {
        const [wattHours = 0, seconds = 0] = numbers;
        const told = {port: Number(port), orderId: order, wattHours, seconds, reason: said[4] ?? ''};
        await this.room.emit({...event, kind: 'orderEnded', ...told});
        return this.#write(`SEEN ${order}`);
      }
      default:
        throw new Error(`a pile does not say ${word}`);
    }
  }

  async #login(deviceId: string): Promise<void> {
    const {peer, room} = this;
    const verdict = await room.hooks.login({deviceId, token: '', version: '', resumed: false, peer});
    if (!verdict.allowed || !this.connection.open) return this.connection.close('login_timeout');
    this.deviceId = deviceId;
    room.online(this);
    this.#write('WELCOME');
    await room.emit({kind: 'loggedIn', driver: this, at: Date.now(), deviceId, version: '', resumed: false});
  }
}

/** A pile over real TLS; the test speaks for it. */
export interface Pile {
  say(line: string): void;
  /** The next line of the server that matches, after the one that was read before. */
  line(match: RegExp): Promise<string>;
  /** Answers the next command that matches; resolves with the command. */
  answer(match: RegExp, answer: string): Promise<string>;
  leave(): Promise<void>;
}

/** Connects and logs in. */
export async function openPile(site: Site, deviceId: string): Promise<Pile> {
  const {certificatePem: cert, privateKeyPem: key} = await site.issue(deviceId);
  const socket = tls.connect({
    host: '127.0.0.1',
    port: site.server.address.port,
    servername: 'localhost',
    ca: site.authority.certificatePem,
    cert,
    key,
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  const lines: string[] = [];
  let wake = (): void => {};
  let isOver = false;
  const reader = createInterface({input: socket});
  reader.on('line', (line) => {
    lines.push(line);
    wake();
  });
  reader.on('close', () => {
    isOver = true;
    wake();
  });
  const say = (line: string): void => void socket.write(`${line}\n`);

  async function line(match: RegExp): Promise<string> {
    for (;;) {
      const at = lines.findIndex((each) => match.test(each));
      if (at >= 0) return lines.splice(0, at + 1)[at] as string;
      if (isOver) throw new Error(`the server has ended the connection without a line like ${match}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  say(`PILE ${deviceId}`);
  await line(/^WELCOME$/);
  return {
    say,
    line,
    async answer(match, answer) {
      const command = await line(match);
      say(`${command.split(' ')[0]} ${answer}`);
      return command;
    },
    async leave() {
      socket.destroy();
      if (!socket.closed) await once(socket, 'close');
    },
  };
}
