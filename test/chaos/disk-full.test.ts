import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, mkdtempSync, openSync, rmSync, writeSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it, onTestFinished} from 'vitest';
import {CallError} from '../../src/lib/client/index.js';
import {codeOf} from '../../src/lib/errors.js';
import {createGate} from './gate.js';
import {openShop} from './shop.js';
import {until} from './waiting.js';

const SIZE = 4096;

/** A disk in memory that goes with the test; undefined where nothing can be mounted. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}k`, 'tmpfs', folder], {stdio: 'ignore'});
  } catch {
    rmSync(folder, {recursive: true});
    return undefined;
  }
  onTestFinished(() => {
    // Lazily: whoever has a file open there ends a moment later.
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, {recursive: true, force: true});
  });
  return folder;
}

/** Takes all the space that is left. */
function fill(file: string): void {
  const fd = openSync(file, 'a');
  try {
    for (let size = 65_536; size >= 1; ) {
      try {
        writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        if (codeOf(error) !== 'ENOSPC') throw error;
        size = Math.floor(size / 4);
      }
    }
  } finally {
    closeSync(fd);
  }
}

it('a full disk refuses orders, and nothing else; what boxes said meanwhile is kept', {
  timeout: 300_000,
}, async (test) => {
  const storeFolder = smallDisk();
  test.skip(storeFolder === undefined, 'needs the right to mount a small disk (root)');
  const shop = await openShop({boxIds: ['box-1', 'box-2'], storeFolder: storeFolder as string});
  const {site, merchant, order} = shop;
  const [held, other] = shop.boxes;
  if (held === undefined || other === undefined) throw new Error('no boxes');
  const gate = createGate();
  held.hold = () => gate.opened;
  await merchant.place(order('before', 'box-1'));
  await until('it runs', async () => (await merchant.status('before')) === 'running');

  const ballast = join(storeFolder as string, 'ballast');
  fill(ballast);
  let refusal: unknown;
  for (let number = 0; refusal === undefined; number++) {
    const body = {order_no: `full-${number}`, device_id: 'box-2', coins: 1, timeout_seconds: 600};
    merchant.orders.set(`full-${number}`, {...order(`full-${number}`, 'box-2'), answer: 'accepted'});
    refusal = await site.api.post('/api/v1/coin-orders', {body}).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refusal !== undefined) merchant.orders.delete(`full-${number}`);
  }
  expect(refusal).toBeInstanceOf(CallError);
  expect(refusal).toMatchObject({code: 'STORAGE_FULL', status: 503});

  // Reads and heartbeats go on, and the box pays out what it has begun.
  expect(await merchant.status('before')).toBe('running');
  expect(await site.api.get<object>('/api/v1/stats')).toBeDefined();
  const fault = once(held.client, 'fault');
  gate.open();
  // Its last word cannot be stored: it is told so, and says it once only.
  await fault;
  await once(other.client, 'heartbeat');
  expect(await merchant.status('before')).toBe('running');

  rmSync(ballast);
  await merchant.place(order('after', 'box-2'));
  await shop.settled();
  expect(await merchant.status('before')).toBe('done');
  expect(await merchant.status('after')).toBe('done');
});
