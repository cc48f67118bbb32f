import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {type ConnectionOptions, connect as connectTls, type TLSSocket} from 'node:tls';
import {encodeFrame, FrameDecoder, type FrameFormat} from '../../src/lib/frame/index.js';
import {MessageRegistry, type ResultCode, Type} from '../../src/lib/registry/index.js';

/** What came: a frame, whatever is in it. */
export interface Frame {
  type: number;
  payload: Buffer;
}

const registry = new MessageRegistry();
const LARGE: FrameFormat = {length: 'type+payload', maxFrame: 16_777_216};

/** A device that says exactly the bytes it is told to, and keeps whatever it hears. */
export class RawClient {
  readonly socket: TLSSocket;
  /** Frames that nobody has taken yet. */
  readonly heard: Frame[] = [];
  /** Resolves with the first error's code, or '', when the connection is over. */
  readonly closed: Promise<string>;
  /** The latest TLS session, for a resumption. */
  session: Buffer | undefined;
  #error = '';
  #over = false;
  readonly #format: FrameFormat;
  readonly #waiting: (() => void)[] = [];

  private constructor(socket: TLSSocket, format: FrameFormat) {
    this.socket = socket;
    this.#format = format;
    const decoder = new FrameDecoder((type, bytes, start, end) => {
      this.heard.push({type, payload: Buffer.from(bytes.subarray(start, end))});
      return true;
    }, format);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true;
        this.#wake();
        resolve(this.#error);
      });
    });
    socket.on('session', (session) => {
      this.session = session;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error ||= error.code ?? error.message;
    });
    socket.on('data', (chunk) => {
      decoder.push(chunk);
      this.#wake();
    });
  }

  /** Begins to connect; nothing is awaited, since with TLS 1.3 a refusal comes after the handshake. */
  static open(port: number, tls: ConnectionOptions, format: FrameFormat = LARGE): RawClient {
    return new RawClient(connectTls({host: '127.0.0.1', port, servername: 'localhost', ...tls}), format);
  }

  /** Connects; rejects when the handshake does not end well. */
  static async dial(port: number, tls: ConnectionOptions, format?: FrameFormat): Promise<RawClient> {
    const client = RawClient.open(port, tls, format);
    await once(client.socket, 'secureConnect');
    return client;
  }

  get over(): boolean {
    return this.#over;
  }

  write(...bytes: Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** Sends a frame of any type with any payload. */
  frame(type: number, payload: Uint8Array = new Uint8Array(0)): void {
    this.write(encodeFrame(type, payload, this.#format));
  }

  /** Sends a message that devices send, by its name. */
  say(name: string, message: object): void {
    this.write(said(name, message, this.#format));
  }

  /** The next frame; undefined when the connection ends before one comes. */
  async next(): Promise<Frame | undefined> {
    while (this.heard.length === 0 && !this.#over) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.heard.shift();
  }

  /** The next frame as a message that servers send; throws when it is another one or none comes. */
  async hear<T = Record<string, unknown>>(name: string): Promise<T> {
    const frame = await this.next();
    if (frame === undefined) throw new Error(`${name} did not come: ${this.#error || 'closed'}`);
    // 0x05 may be a question or an answer; whoever listens knows which.
    const type = name === 'QueryRsp' && frame.type === Type.query ? Type.queryRsp : frame.type;
    const definition = registry.lookup(type, 'down');
    const message = definition?.codec.decode(frame.payload, 0, frame.payload.length);
    if (definition?.name !== name) throw new Error(`not ${name}: ${definition?.name} ${JSON.stringify(message)}`);
    return message as T;
  }

  /** The next frame, which has to be an ErrorMsg. */
  hearError(): Promise<{code: ResultCode; msg: string}> {
    return this.hear('ErrorMsg');
  }

  /** Logs in and answers what the server says; throws unless it says OK. */
  async login(deviceId: string, token = ''): Promise<{msg: string; resumeToken: string}> {
    this.say('LoginReq', {deviceId, token, version: '1'});
    const answer = await this.hear<{code: ResultCode; msg: string; resumeToken: string}>('LoginRsp');
    if (answer.code !== 0) throw new Error(`login refused: ${answer.code} ${answer.msg}`);
    return answer;
  }

  /** Proves that the connection still serves: a heartbeat is answered, and nothing else was said before. */
  async alive(): Promise<void> {
    this.frame(Type.ping);
    await this.hear('Pong');
  }

  /** Everything until the server closes. */
  async rest(): Promise<Frame[]> {
    await this.closed;
    return this.heard.splice(0);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The bytes of a message that devices send. */
export function said(name: string, message: object, format?: FrameFormat): Buffer {
  const definition = registry.byName(name, 'up');
  if (definition === undefined) throw new Error(`devices say no ${name}`);
  return encodeFrame(definition.type, definition.codec.encode(message), format);
}

/** A TCP connection that knows nothing of TLS. */
export async function dialTcp(port: number): Promise<Socket & {over: Promise<string>}> {
  const socket = connect({host: '127.0.0.1', port});
  let first = '';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    first ||= error.code ?? error.message;
  });
  const over = new Promise<string>((resolve) => socket.once('close', () => resolve(first)));
  socket.resume();
  await once(socket, 'connect');
  return Object.assign(socket, {over});
}
