import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect, it, onTestFinished} from 'vitest';
import {openBox} from './box.js';
import {createGate} from './gate.js';
import {openShop} from './shop.js';
import {until} from './waiting.js';

const HOUR = 3_600_000;
const PRELOAD = pathToFileURL(join(import.meta.dirname, 'shifted-clock.mjs')).href;

it('a clock that jumps by +1 h and −2 h ends no order early, and none late', {timeout: 300_000}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-clock-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  const clockFile = join(folder, 'shift');
  const shop = await openShop({
    boxIds: ['box-1', 'box-2'],
    laterIds: ['box-3'],
    env: {NODE_OPTIONS: `--import ${PRELOAD}`, PAYNET_CLOCK_FILE: clockFile},
  });
  const {site, merchant, order} = shop;
  const real = Date.now;
  onTestFinished(() => {
    Date.now = real;
  });
  /** The clock of the machine: of the server, and of the merchant, whose requests and webhooks carry times. */
  const shift = async (ms: number): Promise<void> => {
    writeFileSync(clockFile, String(ms));
    site.server.signal('SIGUSR2');
    Date.now = () => real() + ms;
    // A request of another time is refused.
    await until('the server has the new time', async () =>
      merchant.status('nobody').then(
        () => true,
        () => false,
      ),
    );
  };
  const told = (orderNo: string, type: string): boolean =>
    site.sink.deliveries.some((event) => event.orderNo === orderNo && event.type === type);

  const gate = createGate();
  const [held] = shop.boxes;
  if (held !== undefined) held.hold = () => gate.opened;
  await merchant.place(order('running', 'box-1'));
  await merchant.place(order('kept', 'box-3', {keepSeconds: 3600}));
  await until('it runs', async () => told('running', 'order.confirmed'));

  for (const [name, ms] of [
    ['later', HOUR],
    ['earlier', -HOUR],
    ['right', 0],
  ] as const) {
    await shift(ms);
    // An order whose time is short ends in it, which is told: timers run, and have looked at everything that is due.
    await merchant.place(order(`short-${name}`, 'box-3', {keepSeconds: 1}));
    await merchant.place(order(`paid-${name}`, 'box-2'));
    await until('the short one is over', () => told(`short-${name}`, 'order.timeout'));
    await until('the other is paid', () => told(`paid-${name}`, 'order.completed'));
    expect(await merchant.status('running')).toBe('running');
    expect(await merchant.status('kept')).toBe('created');
  }

  gate.open();
  const late = await openBox(await site.boxOptions('box-3'));
  onTestFinished(() => late.stop());
  await shop.settled();
  expect(await merchant.status('running')).toBe('done');
  expect(await merchant.status('kept')).toBe('done');
});
