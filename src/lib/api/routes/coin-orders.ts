import {type Endpoint, endpoint} from '../endpoint.js';
import {ApiError} from '../errors.js';
import type {OrdersPort} from '../ports.js';
import {about, deviceId, object, orderNo} from '../schema.js';
import {coinExample, order} from './order-schema.js';

interface NewOrderBody {
  order_no?: string;
  device_id: string;
  coins: number;
  timeout_seconds: number;
  keep_seconds?: number;
}

export function coinOrderEndpoints(orders: OrdersPort): Endpoint[] {
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
            {type: 'integer', minimum: 0, maximum: 86_400},
            'how long the order waits for a device that is offline: with 0 it is refused at once; without it the default of the server holds',
          ),
        },
        ['order_no', 'keep_seconds'],
      ),
      status: 202,
      data: order,
      example: {
        body: {order_no: 'THD1762863000001', device_id: 'PB-0001', coins: 3, timeout_seconds: 60},
        data: coinExample,
      },
      async run({body, reservedNo}) {
        const made = await orders.createCoin({
          orderNo: body.order_no ?? reservedNo(),
          deviceId: body.device_id,
          coins: body.coins,
          timeoutSeconds: body.timeout_seconds,
          keepSeconds: body.keep_seconds,
        });
        if (made.outcome === 'conflict') throw new ApiError('IDEMPOTENCY_CONFLICT');
        return made.order;
      },
    }),
  ];
}
