// HTTP over keep-alive connections, as cheap as Node has it: what is measured is the server.
import {createHash, createHmac, randomBytes} from 'node:crypto';
import {connect} from 'node:net';

const END_OF_HEAD = '\r\n\r\n';

/** One keep-alive connection; one request at a time. */
export class HttpConnection {
  #socket;
  #waiting;
  #received = '';

  static async open(port) {
    const connection = new HttpConnection();
    await new Promise((resolve, reject) => {
      const socket = connect({host: '127.0.0.1', port, noDelay: true}, resolve);
      connection.#socket = socket.setEncoding('latin1').on('error', reject);
    });
    connection.#socket.on('data', (text) => connection.#take(text));
    connection.#socket.on('close', () => connection.#waiting?.reject(new Error('the HTTP connection was closed')));
    return connection;
  }

  /** Resolves with status and body. */
  request(method, path, headers, body = '') {
    const length = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = {resolve, reject};
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}${length}\r\n${body}`);
    });
  }

  close() {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(text) {
    this.#received += text;
    const head = this.#received.indexOf(END_OF_HEAD);
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1] ?? 0);
    const from = head + END_OF_HEAD.length;
    if (this.#received.length < from + length) return;
    const answer = {status: Number(this.#received.slice(9, 12)), body: this.#received.slice(from, from + length)};
    this.#received = '';
    const {resolve} = this.#waiting;
    this.#waiting = undefined;
    resolve(answer);
  }
}

/** The header lines of a request with an API key; signed when the key has a secret to sign with. */
export function headersOf({key, secret}, method, path, body = '') {
  if (secret === undefined) return `x-api-key: ${key}\r\n`;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = randomBytes(12).toString('hex');
  const hash = createHash('sha256').update(body).digest('hex');
  const text = `${method}\n${path}\n${timestamp}\n${nonce}\n${hash}`;
  const signature = createHmac('sha256', secret).update(text).digest('hex');
  return `x-api-key: ${key}\r\nx-timestamp: ${timestamp}\r\nx-nonce: ${nonce}\r\nx-signature: ${signature}\r\n`;
}
