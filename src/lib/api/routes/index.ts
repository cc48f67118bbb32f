import {type Endpoint, endpoint} from '../endpoint.js';
import type {ApiKeys} from '../keys.js';
import type {ApiPorts} from '../ports.js';
import {apiKeyEndpoints} from './api-keys.js';
import {chargeOrderEndpoints} from './charge-orders.js';
import {coinOrderEndpoints} from './coin-orders.js';
import {definitionsEndpoint} from './definitions.js';
import {deviceEndpoints} from './devices.js';
import {discrepancyEndpoints} from './discrepancies.js';
import {eventEndpoints} from './events.js';
import {orderEndpoints} from './orders.js';
import {queueEndpoints} from './queue.js';

/** Everything that the interface can do, but the live stream. */
export function endpointsOf(ports: ApiPorts, keys: ApiKeys, now: () => number): Endpoint[] {
  return [
    ...coinOrderEndpoints(ports.orders),
    ...chargeOrderEndpoints(ports.orders),
    ...orderEndpoints(ports.orders),
    ...discrepancyEndpoints(ports.orders),
    ...deviceEndpoints(ports.devices),
    ...eventEndpoints(ports.events),
    ...queueEndpoints(ports.queue),
    ...apiKeyEndpoints(keys, now),
    definitionsEndpoint,
    endpoint({
      method: 'GET',
      path: '/api/v1/stats',
      scope: 'read',
      tag: 'statistics',
      summary: 'Figures of this moment',
      status: 200,
      data: {type: 'object'},
      example: {data: {devices: {online: 1}, orders: {open: 0}, queue: {waiting: 0, dead: 0}}},
      run: () => ports.stats(),
    }),
  ];
}
