import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {OUTBOUND_OPERATIONS} from '../../src/lib/outbound/index.js';
import {deadListing, openListing} from '../../src/lib/outbound/listing.js';
import * as prepared from '../../src/lib/outbound/queries.js';
import {openStore, type Query, type StoreTarget, type Value} from '../../src/lib/store/index.js';
import {explain} from '../store/explain.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {keepingLog} from '../store/support.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const queries = {
  ...prepared,
  dead: deadListing.query({}),
  open: openListing.query({}),
  openOfDevice: openListing.query({deviceId: 'D1'}),
};
const page = {limit: 9, offset: 0};

/** Every query of the queue by its name, the index that must answer it, and its parameters. */
const EXPECTED: Record<keyof typeof queries, [index: string, params: Record<string, Value>]> = {
  dead: ['commands_dead', page],
  commandById: ['commands_pkey|sqlite_autoindex_commands_1', {id: 'A'}],
  commandsOfOrder: ['commands_order', {orderNo: 'A'}],
  waitingOfDevice: ['commands_waiting', {deviceId: 'D1', limit: 9}],
  open: ['commands_open', page],
  openOfDevice: ['commands_open_device', {...page, deviceId: 'D1'}],
  dueOfDevice: ['commands_waiting', {deviceId: 'D1', at: 9}],
  dueCommands: ['commands_due', {at: 9, afterAt: 0, afterId: '', limit: 9}],
  lapsedCommands: ['commands_leased', {at: 9, limit: 9}],
  expiredCommands: ['commands_expiring', {at: 9, limit: 9}],
  waitingCount: ['commands_due', {limit: 9}],
  deadCount: ['commands_dead', {limit: 9}],
  removeSettled: ['commands_settled', {before: 9, limit: 9}],
};

const folder = mkdtempSync(join(tmpdir(), 'paynet-outbound-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

describe.each(['sqlite', 'postgres'] as const)('on %s an index answers, in the right order,', (engine) => {
  let target: StoreTarget;
  beforeAll(async () => {
    target =
      engine === 'sqlite' ? {engine, path: join(folder, 'paynet.db')} : {engine, dsn: await postgres.newDatabase()};
    await (await openStore(target, {operations: [OUTBOUND_OPERATIONS], log: keepingLog()})).close();
  });

  it.each(Object.entries(queries))('%s', async (name, query) => {
    const [index, params] = EXPECTED[name as keyof typeof queries];
    const plan = (await explain(target, query as Query<never, unknown>, params)).join('\n');
    expect(plan).toMatch(new RegExp(`(USING|using|on) (COVERING )?(INDEX )?(${index})\\b`));
    expect(plan).not.toMatch(/Sort|TEMP B-TREE|Seq Scan|SCAN commands$/m);
  });
});
