import {type Endpoint, endpoint} from '../endpoint.js';
import type {QueuePort} from '../ports.js';
import {
  deviceId,
  id,
  note,
  object,
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

const deadLetter = shape({
  id: text,
  device_id: text,
  order_no: orNull(text),
  kind: text,
  status: text,
  attempts: whole,
  last_error: orNull(text),
  created_at: time,
  updated_at: time,
});

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
    endpoint<unknown, PageQuery & {device_id?: string}>({
      method: 'GET',
      path: '/api/v1/dead-letters',
      scope: 'read',
      tag: 'dead letters',
      summary: 'List the commands that were given up',
      query: query({device_id: deviceId, ...page}),
      status: 200,
      data: paged('dead_letters', deadLetter),
      example: {data: {dead_letters: [example], total: 1, page: 1, page_size: 20}},
      async run({query: {page: number, page_size: pageSize, device_id}}) {
        const {items, total} = await queue.dead({page: number, pageSize, deviceId: device_id});
        return {deadLetters: items, total, page: number, pageSize};
      },
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
