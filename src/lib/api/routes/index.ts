import {type Endpoint, endpoint} from '../endpoint.js';
import type {ApiPorts} from '../ports.js';
import {deviceEndpoints} from './devices.js';
import {discrepancyEndpoints} from './discrepancies.js';
import {eventEndpoints} from './events.js';
import {orderEndpoints} from './orders.js';
import {queueEndpoints} from './queue.js';

/** Everything that the interface can do, but the live stream. */
export function endpointsOf(ports: ApiPorts): Endpoint[] {
  return [
    ...orderEndpoints(ports.orders),
    ...discrepancyEndpoints(ports.orders),
    ...deviceEndpoints(ports.devices),
    ...eventEndpoints(ports.events),
    ...queueEndpoints(ports.queue),
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
