import {type Endpoint, endpoint} from '../endpoint.js';
import {listing} from '../paging.js';
import type {OrdersPort} from '../ports.js';
import {flag, note, object, orNull, shape, text, time, whole} from '../schema.js';

const discrepancy = shape({
  id: whole,
  order_no: text,
  device_id: text,
  order_status: text,
  reported: {description: 'what the device says'},
  created_at: time,
  resolved_at: orNull(time),
  resolution: orNull(text),
});

const example = {
  id: 1,
  order_no: 'THD1762863000001',
  device_id: 'PB-0001',
  order_status: 'failed',
  reported: {state: 'done', progress: 100, error: ''},
  created_at: '2025-11-11T12:12:00.000Z',
  resolved_at: null,
  resolution: null,
};

export function discrepancyEndpoints(orders: OrdersPort): Endpoint[] {
  return [
    listing<{resolved?: 'true' | 'false'}>({
      path: '/api/v1/discrepancies',
      tag: 'discrepancies',
      summary: 'List what devices report against the state of their orders',
      description: 'Coins or current may really have gone out: each is to be settled by a person.',
      name: 'discrepancies',
      item: discrepancy,
      example,
      filters: {resolved: flag},
      list: ({resolved, ...page}) =>
        orders.discrepancies({...page, resolved: resolved === undefined ? undefined : resolved === 'true'}),
    }),

    endpoint<{id: string}, unknown, {text: string}>({
      method: 'POST',
      path: '/api/v1/discrepancies/:id/resolve',
      scope: 'admin',
      tag: 'discrepancies',
      summary: 'Note how a discrepancy was settled',
      params: object({id: {type: 'string', pattern: '^[1-9][0-9]{0,14}$'}}),
      body: object({text: note}),
      status: 200,
      data: discrepancy,
      example: {
        body: {text: 'three coins were out; the payer was charged'},
        data: {
          ...example,
          resolved_at: '2025-11-11T14:00:00.000Z',
          resolution: 'three coins were out; the payer was charged',
        },
      },
      run: ({params, body}) => orders.resolveDiscrepancy(Number(params.id), body.text),
    }),
  ];
}
