import {
  CHARGE_REQUIRED,
  type ChargeBody,
  chargeFields,
  chargeOf,
  type PortBody,
  portFields,
  portOf,
} from '../charge-body.js';
import {type Endpoint, endpoint} from '../endpoint.js';
import {ApiError} from '../errors.js';
import type {EndingOrder, NewChargeOrder, OrdersPort} from '../ports.js';
import {about, deviceId, type Fields, object, orderNo, type Schema, shape, text, whole, yes} from '../schema.js';
import {chargeExample, endingOrder} from './order-schema.js';

const params = object({device_id: deviceId});

const requiring = (fields: Fields, required: readonly string[]): Schema =>
  object(
    fields,
    Object.keys(fields).filter((name) => !required.includes(name)),
  );

const made = shape({
  order_no: text,
  status: text,
  status_code: whole,
  device_id: text,
  port_no: whole,
  amount: about(whole, 'in cents'),
  online: yes,
});

const madeExample = {
  order_no: 'THD1762863000002',
  status: 'pending',
  status_code: 0,
  device_id: '82241218000382',
  port_no: 1,
  amount: 100,
  online: true,
};

const CREATE = {
  method: 'POST',
  scope: 'write',
  tag: 'orders',
  description:
    'The order is durable when this answers; its device confirms it later. The same order_no with the same content is the same order; give one, or an Idempotency-Key, so that a repeated request cannot charge twice. A field that belongs to another charge_mode is refused.',
  status: 202,
  data: made,
} as const;

const bodyExample = {port_no: 1, charge_mode: 1, amount: 100, duration_minutes: 60};

/** What `POST …/stop` answers: the order, and what its status was. */
export const ending = ({order, oldStatus}: EndingOrder): object => ({...order, oldStatus});

export const STOP = {
  method: 'POST',
  scope: 'write',
  tag: 'orders',
  description: 'Answers the order as it is now: its device confirms the stop later.',
  status: 202,
  data: endingOrder,
} as const;

export const stopExample = {...chargeExample, status: 'stopping', status_code: 9, old_status: 'charging'};

interface StopBody extends PortBody {
  order_no?: string;
}

export function chargeOrderEndpoints(orders: OrdersPort): Endpoint[] {
  async function create(request: NewChargeOrder): Promise<object> {
    const {outcome, order, online} = await orders.createCharge(request);
    if (outcome === 'conflict') throw new ApiError('IDEMPOTENCY_CONFLICT');
    const {orderNo: number, status, statusCode, deviceId: device, portNo, amountCent} = order;
    return {orderNo: number, status, statusCode, deviceId: device, portNo, amount: amountCent, online};
  }

  const stop = async (device: string, body: StopBody): Promise<object> =>
    ending(await orders.stopPort(device, portOf(body), body.order_no));

  return [
    endpoint<{device_id: string}, unknown, ChargeBody>({
      ...CREATE,
      path: '/api/v1/devices/:device_id/charge',
      aliases: ['/api/v1/third/devices/:device_id/charge'],
      summary: 'Charge at a port of a device',
      params,
      body: requiring(chargeFields, CHARGE_REQUIRED),
      example: {body: bodyExample, data: madeExample},
      run: ({params: {device_id}, body, reservedNo}) => create(chargeOf(device_id, body, reservedNo)),
    }),

    endpoint<unknown, unknown, ChargeBody & {device_id: string}>({
      ...CREATE,
      path: '/api/v1/charge-orders',
      aliases: ['/api/v1/third/charge-orders', '/api/v1/third/order/create'],
      summary: 'Charge',
      body: requiring({device_id: deviceId, ...chargeFields}, ['device_id', ...CHARGE_REQUIRED]),
      example: {body: {device_id: '82241218000382', ...bodyExample}, data: madeExample},
      run: ({body: {device_id, ...body}, reservedNo}) => create(chargeOf(device_id, body, reservedNo)),
    }),

    endpoint<{device_id: string}, unknown, StopBody>({
      ...STOP,
      path: '/api/v1/devices/:device_id/stop',
      aliases: ['/api/v1/third/devices/:device_id/stop'],
      summary: 'Stop what charges at a port of a device',
      params,
      body: requiring({...portFields, order_no: about(orderNo, 'which order it must be')}, []),
      example: {body: {port_no: 1}, data: stopExample},
      run: ({params: {device_id}, body}) => stop(device_id, body),
    }),

    endpoint<unknown, unknown, StopBody & {device_id?: string}>({
      ...STOP,
      path: '/api/v1/third/order/stop',
      tag: 'aliases',
      summary: 'Stop charging',
      description: 'By order_no, or by device_id and port.',
      body: requiring({device_id: deviceId, ...portFields, order_no: orderNo}, []),
      example: {body: {device_id: '82241218000382', port_no: 1}, data: stopExample},
      async run({body: {device_id, ...body}}) {
        if (device_id !== undefined) return stop(device_id, body);
        const {order_no, ...port} = body;
        if (order_no === undefined || Object.keys(port).length > 0) {
          throw new ApiError('INVALID_PARAMETER', 'give order_no, or device_id and port_no');
        }
        return ending(await orders.stop(order_no));
      },
    }),
  ];
}
