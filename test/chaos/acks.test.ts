import {readFileSync} from 'node:fs';
import {expect, it, onTestFinished} from 'vitest';
import {CoinState} from '../../src/lib/registry/index.js';
import {RawClient} from '../link/raw-client.js';
import {openShop, type Shop} from './shop.js';
import {until} from './waiting.js';

/** A device that says what it is told to. */
async function scripted({site}: Shop, deviceId: string): Promise<RawClient> {
  const {addr, ca, cert, key} = await site.boxOptions(deviceId);
  const device = await RawClient.dial(Number(addr.split(':')[1]), {ca: readFileSync(ca), cert, key});
  onTestFinished(() => device.destroy());
  device.say('RegisterReq', {deviceSn: deviceId, model: 'box', firmware: '1', devicePubkey: new Uint8Array()});
  await device.hear('RegisterRsp');
  await device.login(deviceId);
  return device;
}

it('acks that are repeated, overtaken, late or of another device', {timeout: 300_000}, async () => {
  const shop = await openShop();
  const {site, merchant, order} = shop;
  const {sink} = site;
  const one = await scripted(shop, 'box-1');
  const two = await scripted(shop, 'box-2');
  const ack = (device: RawClient, orderId: string, state: CoinState, progress = 0, error = ''): void =>
    device.say('CoinAck', {orderId, state, progress, error});
  const story = (orderNo: string): string[] =>
    sink.deliveries.filter((event) => event.orderNo === orderNo).map(({type}) => type);
  const begun = async (device: RawClient, orderNo: string, timeoutSeconds = 600): Promise<void> => {
    await merchant.place(order(orderNo, device === one ? 'box-1' : 'box-2', {timeoutSeconds}));
    expect(await device.hear('CoinCommand')).toMatchObject({orderId: orderNo});
  };

  // DONE three times, then RUNNING and ACCEPTED from before.
  await begun(one, 'overtaken');
  for (let time = 0; time < 3; time++) ack(one, 'overtaken', CoinState.COIN_DONE, 100);
  ack(one, 'overtaken', CoinState.COIN_RUNNING, 50);
  ack(one, 'overtaken', CoinState.COIN_ACCEPTED);

  // DONE, then FAILED.
  await begun(one, 'contradicted');
  ack(one, 'contradicted', CoinState.COIN_DONE, 100);
  for (let time = 0; time < 2; time++) ack(one, 'contradicted', CoinState.COIN_FAILED, 0, 'jam');

  // DONE after its time: the coins may be out.
  await begun(one, 'late', 1);
  ack(one, 'late', CoinState.COIN_ACCEPTED);
  await until('it is over', () => story('late').includes('order.timeout'));
  ack(one, 'late', CoinState.COIN_DONE, 100);

  // DONE for an order of the other device, and for none at all.
  await begun(two, 'foreign');
  ack(one, 'foreign', CoinState.COIN_DONE, 100);
  expect(await one.hearError()).toMatchObject({code: 3, msg: expect.stringContaining('not an order of this device')});
  ack(one, 'nobody', CoinState.COIN_DONE, 100);
  expect(await one.hearError()).toMatchObject({code: 3});
  expect(await merchant.status('foreign')).toBe('sent');
  ack(two, 'foreign', CoinState.COIN_FAILED, 0, 'empty');

  const stories = {
    overtaken: ['order.created', 'order.completed'],
    contradicted: ['order.created', 'order.completed', 'order.discrepancy'],
    late: ['order.created', 'order.confirmed', 'order.timeout', 'order.discrepancy'],
    foreign: ['order.created', 'order.failed'],
  };
  await until('everything is told', () =>
    Object.entries(stories).every(([orderNo, types]) => story(orderNo).length >= types.length),
  );
  for (const [orderNo, types] of Object.entries(stories)) expect(story(orderNo)).toEqual(types);
  expect((await merchant.discrepancies()).sort()).toEqual(['contradicted', 'late']);
  const statuses = ['overtaken', 'contradicted', 'late', 'foreign'].map((orderNo) => merchant.status(orderNo));
  expect(await Promise.all(statuses)).toEqual(['done', 'done', 'timeout', 'failed']);
  await one.alive();
});
