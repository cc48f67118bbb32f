import {type Endpoint, endpoint} from '../endpoint.js';
import {listing} from '../paging.js';
import type {EventsPort} from '../ports.js';
import {about, deviceId, id, list, object, orderNo, orNull, shape, text, time, whole} from '../schema.js';

const eventId = id(300);

const event = shape({
  event_id: text,
  event_type: text,
  order_no: orNull(text),
  device_id: text,
  sequence_no: orNull(whole),
  status: about(text, 'waiting, pushed or dead'),
  retry_count: whole,
  created_at: time,
  pushed_at: orNull(time),
  error_message: orNull(text),
  data: {description: 'what the webhook carries'},
});

const example = {
  event_id: 'THD1762863000001:1',
  event_type: 'order.created',
  order_no: 'THD1762863000001',
  device_id: 'PB-0001',
  sequence_no: 1,
  status: 'pushed',
  retry_count: 0,
  created_at: '2025-11-11T12:10:00.000Z',
  pushed_at: '2025-11-11T12:10:00.120Z',
  error_message: null,
  data: {order_no: 'THD1762863000001', coins: 3},
};

export function eventEndpoints(events: EventsPort): Endpoint[] {
  return [
    endpoint<{order_no: string}>({
      method: 'GET',
      path: '/api/v1/orders/:order_no/events',
      aliases: [
        '/api/v1/third/orders/:order_no/events',
        '/api/v1/coin-orders/:order_no/events',
        '/api/v1/third/coin-orders/:order_no/events',
        '/api/v1/charge-orders/:order_no/events',
      ],
      scope: 'read',
      tag: 'events',
      summary: 'Show the events of an order',
      description: 'What webhooks tell, for whoever missed them. Empty when the order is not known.',
      params: object({order_no: orderNo}),
      status: 200,
      data: shape({events: list(event), total_events: whole}),
      example: {data: {events: [example], total_events: 1}},
      async run({params}) {
        const found = await events.ofOrder(params.order_no);
        return {events: found, totalEvents: found.length};
      },
    }),

    listing<{device_id?: string; status?: 'waiting' | 'pushed' | 'dead'; event_type?: string}>({
      path: '/api/v1/events',
      tag: 'events',
      summary: 'List events, the newest first',
      name: 'events',
      item: event,
      example,
      filters: {
        device_id: deviceId,
        status: {type: 'string', enum: ['waiting', 'pushed', 'dead']},
        event_type: id(64),
      },
      list: ({device_id, event_type, ...filter}) =>
        events.list({...filter, deviceId: device_id, eventType: event_type}),
    }),

    endpoint<unknown, unknown, {event_ids: string[]}>({
      method: 'POST',
      path: '/api/v1/events/replay',
      scope: 'admin',
      tag: 'events',
      summary: 'Deliver events once more',
      description: 'All of them, or none when one is not known.',
      body: object({event_ids: {type: 'array', minItems: 1, maxItems: 100, items: eventId}}),
      status: 202,
      data: shape({replayed: whole}),
      example: {body: {event_ids: ['THD1762863000001:1']}, data: {replayed: 1}},
      async run({body}) {
        const ids = [...new Set(body.event_ids)];
        await events.replay(ids);
        return {replayed: ids.length};
      },
    }),
  ];
}
