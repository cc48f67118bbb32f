import {PaynetError} from '../../src/lib/errors.js';
import {type CommandRow, defineOperation, type OrderRow, type Params, prepare} from '../../src/lib/store/index.js';

export const TIME = 1_795_000_000_000;

export const insertOrder = prepare((db, p: Params<{orderNo: string; deviceId: string; at: number}>) =>
  db.insertInto('orders').values({
    order_no: p.orderNo,
    kind: 'coin',
    device_id: p.deviceId,
    state: 'CREATED',
    body_hash: 'hash',
    created_at: p.at,
    updated_at: p.at,
  }),
);

export const insertOrderOnce = prepare((db, p: Params<{orderNo: string; deviceId: string}>) =>
  db
    .insertInto('orders')
    .values({
      order_no: p.orderNo,
      kind: 'coin',
      device_id: p.deviceId,
      state: 'CREATED',
      body_hash: 'hash',
      created_at: TIME,
      updated_at: TIME,
    })
    .onConflict((conflict) => conflict.doNothing()),
);

export const orderByNo = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').selectAll().where('order_no', '=', p.orderNo),
);

export const lockedOrder = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').selectAll().where('order_no', '=', p.orderNo).forUpdate(),
);

export const setProgress = prepare((db, p: Params<{orderNo: string; progress: number}>) =>
  db.updateTable('orders').set({progress: p.progress}).where('order_no', '=', p.orderNo),
);

export const countOrders = prepare((db) =>
  db.selectFrom('orders').select((eb) => eb.fn.countAll<number>().as('count')),
);

export const ordersOfDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('orders').selectAll().where('device_id', '=', p.deviceId).orderBy('created_at', 'desc'),
);

export const insertCharge = prepare((db, p: Params<{orderNo: string; state: string}>) =>
  db.insertInto('orders').values({
    order_no: p.orderNo,
    kind: 'charge',
    device_id: 'D1',
    port_no: 1,
    state: p.state,
    body_hash: 'hash',
    created_at: TIME,
    updated_at: TIME,
  }),
);

export const insertEvent = prepare(
  (db, p: Params<{eventId: string; orderNo: string | null; sequence: number | null}>) =>
    db
      .insertInto('events')
      .values({
        event_id: p.eventId,
        order_no: p.orderNo,
        sequence: p.sequence,
        type: 'order.created',
        device_id: 'D1',
        data: '{}',
        state: 'waiting',
        next_attempt_at: TIME,
        created_at: TIME,
      })
      .returning('id'),
);

export const create = defineOperation(
  'test.create',
  async (tx, args: {orderNo: string; deviceId?: string; at?: number}): Promise<string> => {
    const {orderNo, deviceId = 'D1', at = TIME} = args;
    await tx.run(insertOrder, {orderNo, deviceId, at});
    return orderNo;
  },
);

export const createOnce = defineOperation('test.createOnce', (tx, orderNo: string) =>
  tx.run(insertOrderOnce, {orderNo, deviceId: 'D1'}),
);

/** Writes, then refuses: nothing may be left of it. */
export const createAndRefuse = defineOperation('test.refuse', async (tx, orderNo: string): Promise<void> => {
  await tx.run(insertOrder, {orderNo, deviceId: 'D1', at: TIME});
  throw new PaynetError('TEST_REFUSED', 'not this one', {hint: 'take another', exitCode: 7});
});

/** A defect. */
export const crash = defineOperation('test.crash', async (tx, orderNo: string): Promise<void> => {
  await tx.run(insertOrder, {orderNo, deviceId: 'D1', at: TIME});
  throw new TypeError('x is not a function');
});

/** Tries to go on after a statement has failed. */
export const swallow = defineOperation('test.swallow', async (tx, orderNo: string): Promise<string> => {
  await tx.run(insertOrder, {orderNo: `${orderNo}-first`, deviceId: 'D1', at: TIME});
  await tx.run(insertOrder, {orderNo: `${orderNo}-first`, deviceId: 'D1', at: TIME}).catch(() => 0);
  await tx.run(insertOrder, {orderNo: `${orderNo}-second`, deviceId: 'D1', at: TIME}).catch(() => 0);
  return 'fine';
});

/** Reads, thinks, writes: wrong results when two do it at the same time. */
export const count = defineOperation('test.count', async (tx, orderNo: string): Promise<number> => {
  const order = await tx.first(lockedOrder, {orderNo});
  const progress = (order?.progress ?? 0) + 1;
  await tx.run(setProgress, {orderNo, progress});
  return progress;
});

/** Takes two rows in the order it is told: a deadlock, when two do it crosswise. */
export const countBoth = defineOperation(
  'test.countBoth',
  async (tx, orders: readonly [string, string]): Promise<void> => {
    for (const orderNo of orders) {
      const order = await tx.first(lockedOrder, {orderNo});
      await tx.run(setProgress, {orderNo, progress: (order?.progress ?? 0) + 1});
    }
  },
);

export const createCharge = defineOperation('test.charge', (tx, args: {orderNo: string; state: string}) =>
  tx.run(insertCharge, args),
);

export const createEvent = defineOperation(
  'test.event',
  async (tx, args: {eventId: string; orderNo: string | null; sequence: number | null}) =>
    (await tx.first(insertEvent, args))?.id,
);

export const find = defineOperation(
  'test.find',
  (tx, orderNo: string): Promise<OrderRow | undefined> => tx.first(orderByNo, {orderNo}),
);

export const insertCommand = prepare((db, p: Params<Pick<CommandRow, 'id' | 'payload'>>) =>
  db.insertInto('commands').values({
    id: p.id,
    device_id: 'D1',
    kind: 'coin',
    payload: p.payload,
    priority: 2,
    state: 'waiting',
    not_before: TIME,
    created_at: TIME,
    updated_at: TIME,
  }),
);

export const createCommand = defineOperation('test.command', (tx, args: {id: string; payload: string}) =>
  tx.run(insertCommand, args),
);

export const deleteCommands = prepare((db) => db.deleteFrom('commands'));

export const dropCommands = defineOperation('test.dropCommands', (tx) => tx.run(deleteCommands));

/** A result that cannot leave its thread. */
export const odd = defineOperation('test.odd', async (tx, orderNo: string): Promise<() => string> => {
  await tx.run(insertOrder, {orderNo, deviceId: 'D1', at: TIME});
  return () => orderNo;
});

/** Waits for something that never comes. */
export const hang = defineOperation('test.hang', async (tx, orderNo: string): Promise<void> => {
  await tx.run(insertOrder, {orderNo, deviceId: 'D1', at: TIME});
  await new Promise(() => {});
});

/** Ends the thread or process that runs it. */
export const exit = defineOperation('test.exit', async (): Promise<void> => {
  process.exit(3);
});

export const commandIds = prepare((db) => db.selectFrom('commands').select('id'));

const sleep = prepare((db, p: Params<{seconds: number}>) =>
  db.selectNoFrom((eb) => eb.fn<string>('pg_sleep', [eb.val(p.seconds)]).as('slept')),
);

/** On PostgreSQL: takes this many seconds. */
export const linger = defineOperation(
  'test.linger',
  async (tx, args: {orderNo: string; seconds: number}): Promise<void> => {
    await tx.run(insertOrder, {orderNo: args.orderNo, deviceId: 'D1', at: TIME});
    await tx.all(sleep, {seconds: args.seconds});
  },
);

const endSelf = prepare((db) =>
  db.selectNoFrom((eb) => eb.fn<boolean>('pg_terminate_backend', [eb.fn('pg_backend_pid', [])]).as('ended')),
);

/** On PostgreSQL: has its own connection ended by the server, as often as the progress of an order says. */
export const endConnection = defineOperation('test.endConnection', async (tx, orderNo: string): Promise<void> => {
  await tx.run(insertOrder, {orderNo, deviceId: 'D1', at: TIME});
  await tx.all(endSelf);
});
