import {type Endpoint, endpoint} from '../endpoint.js';
import {ApiError} from '../errors.js';
import type {OrdersPort} from '../ports.js';
import {
  about,
  deviceId,
  id,
  note,
  object,
  orderNo,
  orNull,
  type PageQuery,
  page,
  paged,
  query,
  shape,
  text,
  time,
  whole,
} from '../schema.js';

const order = shape({
  order_no: text,
  device_id: text,
  kind: text,
  status: text,
  coins: orNull(whole),
  timeout_seconds: orNull(whole),
  progress: about(whole, 'percent'),
  error: orNull(text),
  attempts: about(whole, 'how often the command was written to the device'),
  created_at: time,
  updated_at: time,
  ended_at: orNull(time),
});

const example = {
  order_no: 'THD1762863000001',
  device_id: 'PB-0001',
  kind: 'coin',
  status: 'created',
  coins: 3,
  timeout_seconds: 60,
  progress: 0,
  error: null,
  attempts: 0,
  created_at: '2025-11-11T12:10:00.000Z',
  updated_at: '2025-11-11T12:10:00.000Z',
  ended_at: null,
};

const params = object({order_no: orderNo});

interface NewOrderBody {
  order_no?: string;
  device_id: string;
  coins: number;
  timeout_seconds: number;
  keep_seconds?: number;
}

export function orderEndpoints(orders: OrdersPort): Endpoint[] {
  return [
    endpoint<unknown, unknown, NewOrderBody>({
      method: 'POST',
      path: '/api/v1/coin-orders',
      aliases: ['/api/v1/third/coin-orders'],
      scope: 'write',
      tag: 'orders',
      summary: 'Give out coins',
      description:
        'The order is durable when this answers. The same order_no with the same content is the same order; give one, or an Idempotency-Key, so that a repeated request cannot pay twice.',
      body: object(
        {
          order_no: orderNo,
          device_id: deviceId,
          coins: {type: 'integer', minimum: 1, maximum: 4_294_967_295},
          timeout_seconds: about({type: 'integer', minimum: 1, maximum: 86_400}, 'for the whole execution'),
          keep_seconds: about(
            {type: 'integer', minimum: 1, maximum: 86_400},
            'how long the order waits for a device that is offline; without it such an order is refused',
          ),
        },
        ['order_no', 'keep_seconds'],
      ),
      status: 202,
      data: order,
      example: {
        body: {order_no: 'THD1762863000001', device_id: 'PB-0001', coins: 3, timeout_seconds: 60},
        data: example,
      },
      async run({body, orderNo: reserved}) {
        const made = await orders.createCoin({
          orderNo: body.order_no ?? reserved,
          deviceId: body.device_id,
          coins: body.coins,
          timeoutSeconds: body.timeout_seconds,
          keepSeconds: body.keep_seconds,
        });
        if (made.outcome === 'conflict') throw new ApiError('IDEMPOTENCY_CONFLICT');
        return made.order;
      },
    }),

    endpoint<unknown, PageQuery & {device_id?: string; status?: string}>({
      method: 'GET',
      path: '/api/v1/coin-orders',
      aliases: ['/api/v1/third/coin-orders', '/api/v1/third/orders'],
      scope: 'read',
      tag: 'orders',
      summary: 'List orders, the newest first',
      query: query({device_id: deviceId, status: id(32), ...page}),
      status: 200,
      data: paged('orders', order),
      example: {data: {orders: [example], total: 1, page: 1, page_size: 20}},
      async run({query: {page: number, page_size: pageSize, device_id, status}}) {
        const {items, total} = await orders.list({page: number, pageSize, deviceId: device_id, status});
        return {orders: items, total, page: number, pageSize};
      },
    }),

    endpoint<{order_no: string}>({
      method: 'GET',
      path: '/api/v1/coin-orders/:order_no',
      aliases: ['/api/v1/third/coin-orders/:order_no', '/api/v1/third/orders/:order_no'],
      scope: 'read',
      tag: 'orders',
      summary: 'Show an order',
      params,
      status: 200,
      data: order,
      example: {data: example},
      async run({params: {order_no}}) {
        const found = await orders.get(order_no);
        if (found === undefined) throw new ApiError('ORDER_NOT_FOUND', `there is no order ${order_no}`);
        return found;
      },
    }),

    endpoint<{order_no: string}, unknown, {reason?: string}>({
      method: 'POST',
      path: '/api/v1/coin-orders/:order_no/cancel',
      aliases: ['/api/v1/third/coin-orders/:order_no/cancel', '/api/v1/third/orders/:order_no/cancel'],
      scope: 'write',
      tag: 'orders',
      summary: 'Cancel an order',
      description: 'Answers the order as it is now: what the device executes cannot be taken back.',
      params,
      body: object({reason: note}, ['reason']),
      status: 202,
      data: order,
      example: {body: {reason: 'refunded'}, data: example},
      run: ({params: {order_no}, body}) => orders.cancel(order_no, body.reason ?? ''),
    }),
  ];
}
