import {PORT_STATES} from '../definitions.js';
import {type Endpoint, endpoint} from '../endpoint.js';
import {ApiError} from '../errors.js';
import type {DeviceDetails, DevicesPort, PortInfo} from '../ports.js';
import {about, deviceId, flag, list, note, object, orNull, query, shape, text, time, whole, yes} from '../schema.js';
import {chargeExample, order} from './order-schema.js';

const fields = {
  device_id: text,
  online: yes,
  score: about(orNull({type: 'number'}), 'how surely it is online, 0 to 100'),
  protocol: text,
  model: orNull(text),
  firmware: orNull(text),
  registered_at: time,
  last_seen_at: time,
};

const port = shape({
  port_no: about(whole, 'from 1'),
  status: about(whole, '0 free, 1 occupied, 2 charging, 3 fault'),
  status_name: text,
  power_w: orNull({type: 'number'}),
  can_charge: yes,
});

const details = shape({
  ...fields,
  status: about(text, 'idle, charging or offline'),
  ports: list(port),
  active_orders: list(order),
});

const example = {
  device_id: 'PB-0001',
  online: true,
  score: 100,
  protocol: 'paynet',
  model: 'PB-3',
  firmware: '1.4.0',
  registered_at: '2025-11-01T08:00:00.000Z',
  last_seen_at: '2025-11-11T12:10:00.000Z',
};

const detailsExample = {
  ...example,
  device_id: '82241218000382',
  protocol: 'bkv',
  status: 'charging',
  ports: [{port_no: 1, status: 2, status_name: 'charging', power_w: 120.5, can_charge: false}],
  active_orders: [chargeExample],
};

const params = object({device_id: deviceId});

const shownPort = ({portNo, status, powerW}: PortInfo, online: boolean): object => ({
  portNo,
  status,
  statusName: PORT_STATES[status] ?? 'unknown',
  powerW,
  canCharge: online && PORT_STATES[status] === 'free',
});

function shown({ports, ...device}: DeviceDetails): object {
  const isCharging = ports.some(({status}) => PORT_STATES[status] === 'charging');
  return {
    ...device,
    status: device.online ? (isCharging ? 'charging' : 'idle') : 'offline',
    ports: ports.map((each) => shownPort(each, device.online)),
  };
}

export function deviceEndpoints(devices: DevicesPort): Endpoint[] {
  return [
    endpoint<unknown, {limit: number; offset: number; online?: 'true' | 'false'}>({
      method: 'GET',
      path: '/api/v1/devices',
      aliases: ['/api/v1/third/devices'],
      scope: 'read',
      tag: 'devices',
      summary: 'List devices',
      query: query({
        online: flag,
        limit: {type: 'integer', minimum: 1, maximum: 1000, default: 100},
        offset: {type: 'integer', minimum: 0, maximum: 1_000_000_000, default: 0},
      }),
      status: 200,
      data: shape({devices: list(shape(fields)), total: whole}),
      example: {data: {devices: [example], total: 1}},
      async run({query: {limit, offset, online}}) {
        const filter = online === undefined ? undefined : online === 'true';
        const {items, total} = await devices.list({limit, offset, online: filter});
        return {devices: items, total};
      },
    }),

    endpoint<{device_id: string}>({
      method: 'GET',
      path: '/api/v1/devices/:device_id',
      aliases: ['/api/v1/third/devices/:device_id', '/api/v1/third/devices/:device_id/status'],
      scope: 'read',
      tag: 'devices',
      summary: 'Show a device',
      params,
      status: 200,
      data: details,
      example: {data: detailsExample},
      async run({params: {device_id}}) {
        const found = await devices.get(device_id);
        if (found === undefined) throw new ApiError('DEVICE_NOT_FOUND', `there is no device ${device_id}`);
        return shown(found);
      },
    }),

    endpoint<{device_id: string}, unknown, {reason?: string}>({
      method: 'POST',
      path: '/api/v1/devices/:device_id/kick',
      scope: 'admin',
      tag: 'devices',
      summary: 'Close the connection of a device',
      description: 'It may come back at once.',
      params,
      body: object({reason: note}, ['reason']),
      status: 202,
      data: shape({device_id: text}),
      example: {body: {reason: 'maintenance'}, data: {device_id: 'PB-0001'}},
      async run({params: {device_id}, body}) {
        await devices.kick(device_id, body.reason ?? '');
        return {deviceId: device_id};
      },
    }),

    endpoint<{device_id: string}, unknown, {type: number; payload_hex: string}>({
      method: 'POST',
      path: '/api/v1/devices/:device_id/send',
      scope: 'admin',
      tag: 'devices',
      summary: 'Write one message of the protocol to a device, unchecked',
      params,
      body: object({
        type: {type: 'integer', minimum: 0, maximum: 65_535},
        payload_hex: about(
          {type: 'string', maxLength: 131_070, pattern: '^(?:[0-9A-Fa-f]{2})*$'},
          'the payload as hexadecimal digits; "" for none',
        ),
      }),
      status: 202,
      data: shape({device_id: text}),
      example: {body: {type: 16, payload_hex: '0a0131'}, data: {device_id: 'PB-0001'}},
      async run({params: {device_id}, body}) {
        await devices.send(device_id, {type: body.type, payload: Buffer.from(body.payload_hex, 'hex')});
        return {deviceId: device_id};
      },
    }),
  ];
}
