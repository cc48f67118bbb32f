import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {answering, envelope} from '../client/answering.js';
import {openSite, type Site} from '../client/site.js';
import {openProxy} from '../device/proxy.js';
import {type Operator, onTerminal, operator} from './operator.js';

let site: Site;
let who: Operator;
const ends: (() => void | Promise<void>)[] = [];
beforeAll(async () => {
  site = await openSite((end) => ends.push(end));
  who = operator((end) => ends.push(end), site.origin, site.key);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});
beforeEach(() => {
  site.box.coin = ({orderNo}) => site.report(orderNo, 'done', 100);
});

const create = (...more: string[]): string[] => ['order', 'create', '--device', 'PB-0001', '--coins', '3', ...more];

describe('order create', () => {
  it('places an order and shows it', async () => {
    const {code, stdout, stderr} = await who.run(create('--order-no', 'shown-1', '--timeout', '2m'));
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toMatch(/^order {7}shown-1\ndevice {6}PB-0001\nkind {8}coin\n/);
    expect(stdout).toContain('time limit  120 s');
    expect(stdout).toMatch(/created {5}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+08:00/);
    expect(await site.orders.get('shown-1')).toMatchObject({coins: 3, timeoutSeconds: 120});
  });

  it('is the same order under the same key or number, and another one else', async () => {
    const [first, again, other] = [
      await who.json(...create('--idempotency-key', 'k-1')),
      await who.json(...create('--idempotency-key', 'k-1')),
      await who.json(...create()),
    ];
    expect(again).toEqual(first);
    expect(other.order_no).not.toBe(first.order_no);
    await who.json(...create('--order-no', 'same-1'));
    expect(await who.json(...create('--order-no', 'same-1'))).toMatchObject({order_no: 'same-1'});
    const conflict = await who.run(create('--order-no', 'same-1', '--timeout', '30s'));
    expect(conflict).toMatchObject({code: 1, stdout: ''});
  });

  it('refuses a device that is offline, and says how the order would wait', async () => {
    const offline = create('--order-no', 'kept-1').with(3, 'PB-0002');
    const refused = await who.run(offline);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--keep 10m');
    expect(refused.stderr).toMatch(/\n {2}Request [0-9a-f-]{36}\n$/);
    expect(await who.json(...offline, '--keep', '10m')).toMatchObject({status: 'created'});
  });

  it('says with which key to ask again when nobody knows whether it was taken', async () => {
    const {origin, requests} = await answering((request) => request.socket.destroy());
    const {code, stderr} = await who.run(create('--server', origin));
    expect(code).toBe(1);
    const key = String(requests[0]?.headers['idempotency-key']);
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    expect(stderr).toContain(`--idempotency-key ${key}`);
    const numbered = await who.run(create('--server', origin, '--order-no', 'n-1'));
    expect(numbered.stderr).toContain('again with the same --order-no');
    expect(requests).toHaveLength(2);
  });

  it.each([
    [['--coins', '0']],
    [['--timeout', '1500ms']],
    [['--timeout', '0s']],
    [['--timeout', '25h']],
    [['--timeout', 'soon']],
    [['--keep', '25h']],
  ])('refuses %j', async (more) => {
    expect((await who.run(create(...more))).code).toBe(2);
  });
});

describe('order create --wait', () => {
  it('ends with 0 when the coins are out, through every state', async () => {
    site.box.coin = async ({orderNo}) => {
      await site.report(orderNo, 'accepted');
      await site.report(orderNo, 'running', 40);
      await site.report(orderNo, 'done', 100);
    };
    expect(await who.json(...create('--wait'))).toMatchObject({status: 'done', progress: 100});
  });

  it('ends with 1 when they are not, and still prints the order', async () => {
    site.box.coin = ({orderNo}) => site.report(orderNo, 'failed');
    const {code, stdout} = await who.run(create('--wait', '--json'));
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({status: 'failed', error: 'jam'});
    expect(await who.run(create('--wait'))).toMatchObject({code: 1, stderr: ''});
  });

  it('shows the progress on a terminal and leaves nothing of it', async () => {
    site.box.coin = async ({orderNo}) => {
      await site.report(orderNo, 'running', 40);
      // The second look at the order is what shows the progress.
      const seen = new Promise<void>((resolve) => {
        const {get} = site.orders;
        site.orders.get = (no) => {
          site.orders.get = get;
          resolve();
          return get.call(site.orders, no);
        };
      });
      await seen;
      setImmediate(() => void site.report(orderNo, 'done', 100));
    };
    const {code, screen} = await onTerminal(create('--wait', '--order-no', 'seen-1'), {env: who.env, columns: 60});
    expect(code).toBe(0);
    expect(screen).toContain('\r\u001b[Kseen-1  running  40 %');
    const last = screen.lastIndexOf('\r\u001b[K');
    expect(screen.slice(last + 4)).toMatch(/^order {7}seen-1\r\n/);
  });

  it('is not told off by a cut connection', async () => {
    const line = await openProxy(site.port);
    const sent = new Promise<string>((resolve) => {
      site.box.coin = async ({orderNo}) => resolve(orderNo);
    });
    const running = who.run(create('--wait', '--json', '--server', `http://127.0.0.1:${line.port}`));
    const orderNo = await sent;
    const made = line.made;
    // Until it has asked at least once without an answer.
    line.target = 1;
    while (line.made < made + 2) await new Promise((resolve) => setImmediate(resolve));
    line.target = site.port;
    await site.report(orderNo, 'done', 100);
    const {code, stdout} = await running;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({order_no: orderNo, status: 'done'});
  });

  it('ends with 130 at Ctrl-C, and the order goes on', async () => {
    const sent = new Promise<string>((resolve) => {
      site.box.coin = async ({orderNo}) => resolve(orderNo);
    });
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../bin/run.js'), ...create('--wait')], {
      env: {...process.env, ...who.env, NODE_ENV: 'production'},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const orderNo = await sent;
    const followed = new Promise<void>((resolve) => {
      const {get} = site.orders;
      site.orders.get = (no) => {
        site.orders.get = get;
        resolve();
        return get.call(site.orders, no);
      };
    });
    await followed;
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(stderr).toBe(`The order goes on: paynetctl order show ${orderNo}\n`);
    expect((await site.orders.get(orderNo))?.endedAt).toBeNull();
    await site.report(orderNo, 'done', 100);
  });
});

describe('order show, list, cancel', () => {
  it('show an order and its events', async () => {
    await who.json(...create('--order-no', 'events-1', '--wait'));
    const {order, events} = (await who.json('order', 'show', 'events-1', '--events')) as {
      order: object;
      events: {event_type: string}[];
    };
    expect(order).toMatchObject({order_no: 'events-1', status: 'done'});
    expect(events.length).toBeGreaterThan(1);
    const {stdout} = await who.run(['order', 'show', 'events-1', '--events']);
    for (const {event_type} of events) expect(stdout).toContain(event_type);
    const missing = await who.run(['order', 'show', 'nobody']);
    expect(missing).toMatchObject({code: 1, stdout: ''});
    expect(missing.stderr).toMatch(/^Error: there is no order nobody\n/);
  });

  it('list orders, some of them, page by page', async () => {
    const kept = create('--keep', '10m').with(3, 'PB-0002');
    for (const no of ['list-1', 'list-2', 'list-3']) await who.json(...kept, '--order-no', no);
    const list = ['order', 'list', '--device', 'PB-0002', '--status', 'created', '--limit', '2'];
    const {code, stdout, stderr} = await who.run(list);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^ORDER +DEVICE +KIND +STATUS +COINS +PROGRESS +CREATED +ENDED +ERROR$/);
    expect(stdout).toMatch(/list-3 .*\nlist-2 /);
    expect(stderr).toMatch(/^2 of \d+ orders\.\n$/);
    const data = await who.json(...list, '--page', '2');
    expect(data).toMatchObject({page: 2, page_size: 2});
    expect((data.orders as object[])[0]).toMatchObject({order_no: 'list-1'});
    const none = await who.run(['order', 'list', '--device', 'PB-0009']);
    expect(none).toMatchObject({code: 0, stdout: '', stderr: 'No orders.\n'});
    expect(await who.json('order', 'list', '--device', 'PB-0009')).toMatchObject({orders: [], total: 0});
  });

  it('cancel what was not sent, and nothing else', async () => {
    await who.json(...create('--keep', '10m', '--order-no', 'cancel-1').with(3, 'PB-0002'));
    expect(await who.json('order', 'cancel', 'cancel-1', '--reason', 'refunded')).toMatchObject({status: 'cancelled'});
    await who.json(...create('--order-no', 'cancel-2', '--wait'));
    const {code, stderr} = await who.run(['order', 'cancel', 'cancel-2']);
    expect(code).toBe(1);
    expect(stderr).toContain('order cancel-2 is over');
  });
});

describe('order stop', () => {
  it('asks the interface to stop a charge', async () => {
    const {origin, requests} = await answering((_, response) => {
      response.writeHead(202).end(envelope({order_no: 'o-1', status: 'stopping'}));
    });
    const server = ['--server', origin];
    expect(await who.run(['order', 'stop', 'o-1', ...server])).toMatchObject({code: 0, stdout: 'o-1  stopping\n'});
    expect(await who.json('order', 'stop', 'o-1', ...server)).toEqual({order_no: 'o-1', status: 'stopping'});
    expect(requests.map(({method, url}) => `${method} ${url}`)).toEqual(
      Array(2).fill('POST /api/v1/third/orders/o-1/stop'),
    );
  });
});

describe('order discrepancies and resolve', () => {
  it('list what devices say otherwise, and note how it was settled', async () => {
    await who.json(...create('--order-no', 'odd-1'));
    site.box.coin = ({orderNo}) => site.report(orderNo, 'failed');
    await who.json(...create('--order-no', 'odd-2', '--wait')).catch(() => undefined);
    await site.report('odd-2', 'done', 100);
    const open = await who.run(['order', 'discrepancies', '--open']);
    expect(open.stdout).toMatch(/odd-2 +PB-0001 +failed +\{"state":"done","progress":100,"error":""\}/);
    const {discrepancies} = (await who.json('order', 'discrepancies', '--open')) as {discrepancies: {id: number}[]};
    const [{id}] = discrepancies as [{id: number}];
    const resolve = ['order', 'resolve', String(id), '--text', 'the payer was charged'];
    expect(await who.json(...resolve)).toMatchObject({id, resolution: 'the payer was charged'});
    expect((await who.run(resolve)).code).toBe(1);
    expect((await who.run(['order', 'discrepancies', '--open'])).stderr).toBe('No discrepancies.\n');
    expect(await who.json('order', 'discrepancies', '--resolved')).toMatchObject({discrepancies: [{id}]});
    expect((await who.run(['order', 'discrepancies', '--open', '--resolved'])).code).toBe(2);
    expect((await who.run(['order', 'resolve', String(id)])).code).toBe(2);
  });
});
