import * as orders from '../../src/lib/orders/index.js';
import {commandsOfOrder, waitingOfDevice} from '../../src/lib/outbound/index.js';
import {type Params, prepare, type Store} from '../../src/lib/store/index.js';
import {T} from './store.js';

/** An order of port 1 of D1 for an hour. */
export function charge(orderNo: string, more: Partial<orders.NewCharge> = {}): orders.NewCharge {
  const what = {mode: {by: 'time', seconds: 3600}, amountCent: 300} as const;
  const prices = {pricePerKwhCent: null, serviceFeePermille: null};
  return {orderNo, deviceId: 'D1', portNo: 1, ...what, ...prices, bodyHash: 'hash', at: T, ...more};
}

export type Input = orders.ChargeInput;

/** What devices and people say, for the tests. */
export const INPUTS = {
  acked: {kind: 'startAcked', success: true, charging: false, error: ''},
  ackedCharging: {kind: 'startAcked', success: true, charging: true, error: ''},
  refused: {kind: 'startAcked', success: false, charging: false, error: 'no plug'},
  seen: {kind: 'chargingSeen'},
  cancel: {kind: 'cancelAsked'},
  stop: {kind: 'stopAsked'},
  stopAcked: {kind: 'stopAcked'},
  ended: {kind: 'ended', reason: 'no_load'},
  fault: {kind: 'deviceFault', error: 'fuse'},
  offline: {kind: 'deviceOffline'},
  online: {kind: 'deviceOnline'},
  recovered: {kind: 'recovered'},
  tick: {kind: 'tick'},
} as const satisfies Record<string, Input>;

export const FIGURES = {wattHours: 80, seconds: 1800, peakWatts: 200};

export const stateOf = async (store: Store, orderNo: string): Promise<string | undefined> =>
  (await store.readFirst(orders.orderByNo, {orderNo}))?.state;

export const portOf = async (store: Store, portNo = 1, deviceId = 'D1'): Promise<number | undefined> =>
  (await store.readFirst(orders.portByNo, {deviceId, portNo}))?.status;

export const stopsOf = async (store: Store, orderNo: string) =>
  (await store.read(commandsOfOrder, {orderNo})).filter(({kind}) => kind === 'stopCharge');

export const waiting = (store: Store, deviceId = 'D1') => store.read(waitingOfDevice, {deviceId, limit: 99});

export const alarms = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('events').selectAll().where('device_id', '=', p.deviceId).where('type', '=', 'device.alarm'),
);
