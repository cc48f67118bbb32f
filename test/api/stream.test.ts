import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import {describe, expect, it} from 'vitest';
import {startTestApi} from './support.js';

/** Reads until the text holds what is waited for; whatever waits longer than the test fails. */
async function until(response: IncomingMessage, wanted: string): Promise<string> {
  response.setEncoding('utf8');
  let got = '';
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`the stream ended before "${wanted}": ${got}`));
    const look = (chunk: string): void => {
      got += chunk;
      if (!got.includes(wanted)) return;
      response.off('data', look).off('error', reject).off('end', ended);
      response.pause();
      resolve(got);
    };
    response.on('data', look);
    response.resume();
    response.once('error', reject);
    response.once('end', ended);
  });
}

/** `once` of node:events would take the error before it for a failure. */
const closing = (response: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    response.once('close', () => resolve());
  });

const STREAM = '/api/v1/stream';
const order = (number: number) => ({kind: 'order' as const, data: {orderNo: `A-${number}`, updatedAt: 0}});
const idIn = (text: string): string => text.match(/id: (\S+)\n(?![\s\S]*id: )/)?.[1] ?? '';

describe('the live stream', () => {
  it('tells changes in order, in the words of the interface', async () => {
    const {open, ports} = await startTestApi();
    const response = await open(STREAM);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await until(response, 'retry: 2000');
    ports.tell({kind: 'device', data: {deviceId: 'PB\n1', online: true}});
    ports.tell(order(1));
    const text = await until(response, 'A-1"');
    expect(text).toMatch(/^id: [0-9a-f]{8}-1\nevent: device\ndata: \{"device_id":"PB\\n1","online":true\}\n\n/);
    expect(text).toContain('-2\nevent: order\ndata: {"order_no":"A-1","updated_at":"1970-01-01T00:00:00.000Z"}\n\n');
  });

  it('gives a reader that comes back what it missed', async () => {
    const {open, ports} = await startTestApi();
    const first = await open(STREAM);
    ports.tell(order(1));
    const seen = idIn(await until(first, '}\n\n'));
    first.destroy();
    for (const number of [2, 3, 4]) ports.tell(order(number));
    const text = await until(await open(STREAM, {'last-event-id': seen}), 'A-4');
    expect(text.match(/A-\d/g)).toEqual(['A-2', 'A-3', 'A-4']);
    expect(text).not.toContain('reset');
  });

  it.each(['too old', 'of another life', 'of the future', 'nonsense'])(
    'says when it does not know: %s',
    async (which) => {
      const {open, ports} = await startTestApi({limits: {kept: 2}});
      const first = await open(STREAM);
      ports.tell(order(1));
      const seen = idIn(await until(first, '}\n\n'));
      for (const number of [2, 3, 4, 5]) ports.tell(order(number));
      const id = {
        'too old': seen,
        'of another life': `00000000-${seen.split('-')[1]}`,
        'of the future': `${seen.split('-')[0]}-99`,
        nonsense: 'x',
      }[which];
      const response = await open(STREAM, {'last-event-id': id});
      const text = await until(response, 'reset');
      expect(text).not.toContain('A-');
      // From here on it knows where it is.
      const last = `${seen.split('-')[0]}-5`;
      expect(text).toContain(`id: ${last}\n`);
      ports.tell(order(6));
      expect(await until(response, 'A-6')).not.toContain('A-5');
    },
  );

  it('keeps what lies between two connections, up to its bound', async () => {
    const {open, ports} = await startTestApi({limits: {kept: 2}});
    const first = await open(STREAM);
    ports.tell(order(1));
    const seen = idIn(await until(first, '}\n\n'));
    ports.tell(order(2));
    ports.tell(order(3));
    const text = await until(await open(STREAM, {'last-event-id': seen}), 'A-3');
    expect(text.match(/A-\d/g)).toEqual(['A-2', 'A-3']);
  });

  it('beats when nothing happens, and outlives the limit of idle connections', async () => {
    const {open, ports} = await startTestApi({limits: {heartbeatMs: 50, connectionMs: 400}});
    const response = await open(STREAM);
    for (let beat = 0; beat < 12; beat += 1) await until(response, ': heartbeat\n\n');
    ports.tell(order(1));
    await until(response, 'A-1');
  });

  it('ends for a key that was revoked', async () => {
    const {open, keys, key} = await startTestApi({limits: {heartbeatMs: 50}});
    const response = await open(STREAM);
    response.on('error', () => undefined);
    response.resume();
    await keys.revoke(key.id);
    await closing(response);
  });

  it('drops a reader that is too slow, and no other', async () => {
    const {open, ports} = await startTestApi({limits: {backlogBytes: 256 * 1024}});
    const slow = await open(STREAM);
    slow.on('error', () => undefined);
    slow.pause();
    const quick = await open(STREAM);
    const filler = 'x'.repeat(64 * 1024);
    // More than the buffers of both kernels hold.
    for (let number = 1; number <= 400; number += 1) {
      ports.tell({kind: 'event', data: {number, filler}});
      await until(quick, '\n\n');
    }
    const closed = closing(slow);
    slow.resume();
    await closed;
    expect(slow.complete).toBe(false);
    ports.tell(order(1));
    await until(quick, 'A-1');
  });

  it('has room for so many readers', async () => {
    const {open, call} = await startTestApi({limits: {streams: 1}});
    const first = await open(STREAM);
    await until(first, 'retry');
    expect((await call('GET', STREAM)).json.error_code).toBe('UNAVAILABLE');
    first.destroy();
    // The place is free as soon as the server has seen the end.
    let again = await open(STREAM);
    while (again.statusCode !== 200) again = await open(STREAM);
    expect(again.headers['content-type']).toContain('event-stream');
  });

  it('needs a key, and ends with the server', async () => {
    const {open, api, ports} = await startTestApi();
    expect((await open(STREAM, {'x-api-key': 'none'})).statusCode).toBe(401);
    const response = await open(STREAM);
    await until(response, 'retry');
    response.resume();
    const ended = once(response, 'end');
    await api.close();
    await ended;
    expect(ports.subscribers.size).toBe(0);
  });
});
