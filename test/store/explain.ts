import Database from 'better-sqlite3';
import type {Query, StoreTarget, Value} from '../../src/lib/store/index.js';
import {ask} from './postgres.js';

/**
 * How an engine would carry out a query, one step a line: 'SEARCH orders USING INDEX orders_due (due_at<?)' or
 * 'Index Scan using orders_due on orders'. The parameters of the plan are those given.
 */
export async function explain<P, R>(
  target: StoreTarget,
  query: Query<P, R>,
  params: Record<string, Value>,
): Promise<string[]> {
  const {sql, slots} = query.statement(target.engine);
  const values = slots.map((slot) => params[slot] ?? null);
  if (target.engine === 'sqlite') {
    const db = new Database(target.path, {readonly: true});
    try {
      const rows = db.prepare(`explain query plan ${sql}`).all(values) as {detail: string}[];
      return rows.map(({detail}) => detail);
    } finally {
      db.close();
    }
  }
  const types = slots.map(() => 'unknown').join(', ');
  const literals = values.map((value) => (value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`));
  const rows = await ask(
    target.dsn,
    // What a prepared statement may end up with; and tables of a test are too small for any index to be worth while.
    'set plan_cache_mode = force_generic_plan',
    'set enable_seqscan = off',
    'set enable_bitmapscan = off',
    `prepare explained${types === '' ? '' : `(${types})`} as ${sql}`,
    `explain execute explained${literals.length === 0 ? '' : `(${literals.join(', ')})`}`,
  );
  return rows.map((row) => String(row['QUERY PLAN']).trim());
}
