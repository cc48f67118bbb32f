import {type Endpoint, endpoint} from '../endpoint.js';
import {ApiError} from '../errors.js';
import {listing} from '../paging.js';
import type {OrderInfo, OrdersPort} from '../ports.js';
import {deviceId, type Fields, id, note, object, orderNo} from '../schema.js';
import {ending, STOP, stopExample} from './charge-orders.js';
import {chargeExample, coinExample, endingOrder, order} from './order-schema.js';

const byNumber = object({order_no: orderNo});

/** The paths under which orders stand: all of them, and those of a kind. */
const bases = ['/api/v1/third/orders', '/api/v1/coin-orders', '/api/v1/third/coin-orders', '/api/v1/charge-orders'];
const aliases = (end: string): string[] => bases.map((base) => `${base}${end}`);

const kind = {type: 'string', enum: ['coin', 'charge']};
const CANCEL = {
  method: 'POST',
  scope: 'write',
  tag: 'orders',
  description:
    'Answers the order as it is now. What is with the device of a coin order cannot be taken back; a charging order that charges is stopped instead.',
  status: 202,
  data: endingOrder,
} as const;
const cancelExample = {...coinExample, status: 'cancelled', old_status: 'created'};

export function orderEndpoints(orders: OrdersPort): Endpoint[] {
  async function show(number: string): Promise<OrderInfo> {
    const found = await orders.get(number);
    if (found === undefined) throw new ApiError('ORDER_NOT_FOUND', `there is no order ${number}`);
    return found;
  }

  const cancel = async (number: string, reason = ''): Promise<object> => ending(await orders.cancel(number, reason));

  /** `of`: the only kind that is listed. */
  const list = (summary: string, path: string, also: string[], filters: Fields, of?: OrderInfo['kind']): Endpoint =>
    listing<{device_id?: string; status?: string; kind?: OrderInfo['kind']}>({
      path,
      aliases: also,
      tag: 'orders',
      summary,
      name: 'orders',
      item: order,
      example: of === 'charge' ? chargeExample : coinExample,
      filters: {device_id: deviceId, status: id(32), ...filters},
      list: ({device_id, kind: wanted, ...filter}) => orders.list({...filter, deviceId: device_id, kind: of ?? wanted}),
    });

  return [
    list('List orders, the newest first', '/api/v1/orders', ['/api/v1/third/orders'], {kind}),
    list('List coin orders', '/api/v1/coin-orders', ['/api/v1/third/coin-orders'], {}, 'coin'),
    list('List charging orders', '/api/v1/charge-orders', ['/api/v1/third/charge-orders'], {}, 'charge'),

    endpoint<{order_no: string}>({
      method: 'GET',
      path: '/api/v1/orders/:order_no',
      aliases: aliases('/:order_no'),
      scope: 'read',
      tag: 'orders',
      summary: 'Show an order',
      params: byNumber,
      status: 200,
      data: order,
      example: {data: coinExample},
      run: ({params: {order_no}}) => show(order_no),
    }),

    endpoint<unknown, {order_no: string}>({
      method: 'GET',
      path: '/api/v1/third/order/query',
      scope: 'read',
      tag: 'aliases',
      summary: 'Show an order',
      query: byNumber,
      status: 200,
      data: order,
      example: {data: chargeExample},
      run: ({query: {order_no}}) => show(order_no),
    }),

    endpoint<{order_no: string}>({
      ...STOP,
      path: '/api/v1/orders/:order_no/stop',
      aliases: ['/api/v1/third/orders/:order_no/stop', '/api/v1/charge-orders/:order_no/stop'],
      summary: 'Stop a charging order',
      params: byNumber,
      example: {data: stopExample},
      run: async ({params: {order_no}}) => ending(await orders.stop(order_no)),
    }),

    endpoint<{order_no: string}, unknown, {reason?: string}>({
      ...CANCEL,
      path: '/api/v1/orders/:order_no/cancel',
      aliases: aliases('/:order_no/cancel'),
      summary: 'Cancel an order',
      params: byNumber,
      body: object({reason: note}, ['reason']),
      example: {body: {reason: 'refunded'}, data: cancelExample},
      run: ({params: {order_no}, body}) => cancel(order_no, body.reason),
    }),

    endpoint<unknown, unknown, {order_no: string; reason?: string}>({
      ...CANCEL,
      path: '/api/v1/third/order/cancel',
      tag: 'aliases',
      summary: 'Cancel an order',
      body: object({order_no: orderNo, reason: note}, ['reason']),
      example: {body: {order_no: 'THD1762863000001', reason: 'refunded'}, data: cancelExample},
      run: ({body: {order_no, reason}}) => cancel(order_no, reason),
    }),
  ];
}
