import {once} from 'node:events';
import {Agent, get, request} from 'node:http';
import {connect} from 'node:net';
import {text} from 'node:stream/consumers';
import {afterEach, describe, expect, it, test} from 'vitest';
import {createMetrics, type Metrics, type ObserveServer, startObserveServer} from '../../src/lib/observe/index.js';
import {collectingLog} from './collect.js';
import {parseExposition} from './exposition.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(metrics?: Pick<Metrics, 'text' | 'contentType'>) {
  const own = createMetrics();
  const collected = collectingLog();
  const state = {ready: true, reasons: [] as string[]};
  const server = await startObserveServer({
    addr: '127.0.0.1:0',
    metrics: metrics ?? own,
    health: {ready: () => state},
    log: collected.log,
  });
  cleanups.push(
    () => own.close(),
    () => server.close(),
  );
  return {server, state, collected};
}

async function ask({address}: ObserveServer, path: string, method = 'GET', agent?: Agent) {
  const call = request({...address, path, method, agent});
  call.end();
  const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage];
  return {status: response.statusCode, headers: response.headers, body: await text(response)};
}

describe('the server of metrics and health', () => {
  it('serves metrics that Prometheus can read', async () => {
    const {server} = await start();
    const {status, headers, body} = await ask(server, '/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(parseExposition(body).has('paynet_connections')).toBe(true);
  });

  it('says that it lives', async () => {
    const {server} = await start();
    expect(await ask(server, '/healthz?verbose')).toMatchObject({status: 200, body: '{"alive":true}\n'});
  });

  it('says whether it is ready, and why not', async () => {
    const {server, state} = await start();
    expect(await ask(server, '/readyz')).toMatchObject({status: 200, body: '{"ready":true,"reasons":[]}\n'});
    Object.assign(state, {ready: false, reasons: ['starting']});
    expect(await ask(server, '/readyz')).toMatchObject({status: 503, body: '{"ready":false,"reasons":["starting"]}\n'});
  });

  test.each([
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['GET', '//metrics', 404],
    ['POST', '/metrics', 405],
    ['DELETE', '/readyz', 405],
  ])('%s %s is answered with %d', async (method, path, status) => {
    const answer = await ask((await start()).server, path, method);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toHaveProperty('error');
    expect(answer.headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined);
  });

  test.each(['/healthz', '/readyz'])('HEAD %s answers like GET without a body', async (path) => {
    const {server} = await start();
    const [head, full] = [await ask(server, path, 'HEAD'), await ask(server, path)];
    expect(head).toMatchObject({status: full.status, body: ''});
    expect(head.headers['content-length']).toBe(full.headers['content-length']);
  });

  it('answers 500 and logs when the figures can not be read, and goes on', async () => {
    const broken = {contentType: 'text/plain', text: () => Promise.reject(new Error('no figures'))};
    const {server, collected} = await start(broken);
    expect(await ask(server, '/metrics')).toMatchObject({status: 500, body: '{"error":"internal error"}\n'});
    expect(collected.text()).toContain('no figures');
    expect((await ask(server, '/healthz')).status).toBe(200);
  });

  it('refuses headers beyond 16 KiB', async () => {
    const {server} = await start();
    const call = get({...server.address, path: '/healthz', headers: {'x-large': 'x'.repeat(17 * 1024)}});
    const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(431);
  });

  it('names port and key when the port is in use', async () => {
    const {server, collected} = await start();
    const {port} = server.address;
    const second = startObserveServer({
      addr: `127.0.0.1:${port}`,
      metrics: {contentType: '', text: async () => ''},
      health: {ready: () => ({ready: true, reasons: []})},
      log: collected.log,
    });
    await expect(second).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${port} is already in use (observe.addr is "127.0.0.1:${port}")`,
      hint: expect.stringContaining('observe.addr'),
    });
  });

  it('ends connections that are kept alive, silent ones too, and can be closed twice', async () => {
    const {server} = await start();
    const agent = new Agent({keepAlive: true});
    cleanups.push(() => agent.destroy());
    await ask(server, '/healthz', 'GET', agent);
    const silent = connect(server.address.port, server.address.host);
    await once(silent, 'connect');
    // Answered on another connection: by now the server has accepted the silent one.
    await ask(server, '/healthz');
    const closed = once(silent, 'close');
    silent.resume().on('error', () => {});
    await Promise.all([server.close(), server.close()]);
    await closed;
    await expect(ask(server, '/healthz')).rejects.toMatchObject({code: 'ECONNREFUSED'});
  });
});
