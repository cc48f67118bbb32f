import {type Endpoint, endpoint} from '../endpoint.js';
import {listing} from '../paging.js';
import type {QueuePort} from '../ports.js';
import {about, deviceId, id, note, object, orNull, shape, text, time, whole} from '../schema.js';

const fields = {
  id: text,
  device_id: text,
  order_no: orNull(text),
  kind: text,
  status: text,
  attempts: whole,
  last_error: orNull(text),
  created_at: time,
  updated_at: time,
};

const example = {
  id: 'c-17',
  device_id: 'PB-0001',
  order_no: 'THD1762863000001',
  kind: 'coin',
  status: 'dead',
  attempts: 3,
  last_error: 'no answer in 10 s',
  created_at: '2025-11-11T12:10:00.000Z',
  updated_at: '2025-11-11T12:13:00.000Z',
};

const params = object({id: id(128)});

export function queueEndpoints(queue: QueuePort): Endpoint[] {
  return [
    listing<{device_id?: string}>({
      path: '/api/v1/commands',
      tag: 'commands',
      summary: 'List the commands that wait or were sent',
      name: 'commands',
      item: shape({
        ...fields,
        priority: about(whole, 'the lower, the sooner'),
        expires_at: about(orNull(time), 'when it is given up'),
      }),
      example: {...example, status: 'sent', attempts: 1, last_error: null, priority: 2, expires_at: null},
      filters: {device_id: deviceId},
      list: ({device_id, ...page}) => queue.waiting({...page, deviceId: device_id}),
    }),

    listing<{device_id?: string}>({
      path: '/api/v1/dead-letters',
      tag: 'dead letters',
      summary: 'List the commands that were given up',
      name: 'dead_letters',
      item: shape(fields),
      example,
      filters: {device_id: deviceId},
      list: ({device_id, ...page}) => queue.dead({...page, deviceId: device_id}),
    }),

    endpoint<{id: string}>({
      method: 'POST',
      path: '/api/v1/dead-letters/:id/retry',
      scope: 'admin',
      tag: 'dead letters',
      summary: 'Queue a command once more',
      params,
      status: 202,
      data: shape({id: text}),
      example: {data: {id: 'c-17'}},
      async run({params: {id: command}}) {
        await queue.retry(command);
        return {id: command};
      },
    }),

    endpoint<{id: string}, unknown, {reason: string}>({
      method: 'POST',
      path: '/api/v1/dead-letters/:id/dismiss',
      scope: 'admin',
      tag: 'dead letters',
      summary: 'Give a command up for good',
      params,
      body: object({reason: note}),
      status: 200,
      data: shape({id: text}),
      example: {body: {reason: 'the device was scrapped'}, data: {id: 'c-17'}},
      async run({params: {id: command}, body}) {
        await queue.dismiss(command, body.reason);
        return {id: command};
      },
    }),

    endpoint({
      method: 'POST',
      path: '/api/v1/dead-letters/clean',
      scope: 'admin',
      tag: 'dead letters',
      summary: 'Remove what is settled and old',
      description: 'An undelivered command that nobody has dismissed stays.',
      status: 200,
      data: shape({removed: whole}),
      example: {data: {removed: 4}},
      run: async () => ({removed: await queue.clean()}),
    }),
  ];
}
