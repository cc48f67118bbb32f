import {expect, it} from 'vitest';
import {openShop} from './shop.js';
import {until} from './waiting.js';

const BOXES = ['box-1', 'box-2', 'box-3'];

it('SIGTERM in a burst: the server ends by itself, and what is open goes on with the next one', {
  timeout: 300_000,
}, async () => {
  const shop = await openShop({boxIds: BOXES, coinMs: 30});
  const {site, merchant, order} = shop;
  const placed = Promise.all(
    Array.from({length: 60}, (_, index) =>
      merchant.place(order(`burst-${index}`, BOXES[index % BOXES.length] as string, {coins: 2, keepSeconds: 600})),
    ),
  );
  await until('the burst is on its way', () => site.sink.deliveries.some(({type}) => type === 'order.completed'));
  site.server.signal('SIGTERM');
  await site.server.ended();
  expect(site.server.ends).toEqual([0]);
  expect([...merchant.orders.values()].filter(({answer}) => answer === 'accepted').length).toBeGreaterThan(0);
  expect(await site.server.start()).toBe(true);
  await placed;
  await shop.settled();
  expect([...merchant.orders.values()].every(({answer}) => answer === 'accepted')).toBe(true);
});

it('a webhook that is away for a round and a restart gets everything, in order, when it is back', {
  timeout: 300_000,
}, async () => {
  const shop = await openShop({boxIds: BOXES});
  const {site, merchant, order} = shop;
  await site.sink.be('down');
  const place = (name: string): Promise<unknown> =>
    Promise.all(
      Array.from({length: 15}, (_, index) =>
        merchant.place(order(`${name}-${index}`, BOXES[index % BOXES.length] as string)),
      ),
    );
  const paid = (): Promise<void> =>
    until('all are paid', async () => {
      const {statuses} = await shop.books.all();
      return [...statuses.values()].every((status) => status === 'done');
    });
  await place('first');
  await paid();
  await site.server.kill();
  await site.server.start();
  await Promise.all(shop.boxes.map(({client}) => until('it is back', () => client.online)));
  await place('second');
  await paid();
  expect(site.sink.deliveries.filter(({orderNo}) => orderNo !== undefined)).toEqual([]);
  await site.sink.be('ok');
  await shop.settled();
});
