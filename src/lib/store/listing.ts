import {type Kysely, type SelectQueryBuilder, sql} from 'kysely';
import {type Params, prepare, type Query, type Value} from './query.js';
import type {Schema} from './schema.js';
import type {Store} from './store.js';

/** A list that may be narrowed: what is not given of a filter does not matter. */
export interface Listing<F, R> {
  /** The rows from `offset` on, at most `limit`. */
  page(store: Store, filter: F, range: {limit: number; offset: number}): Promise<R[]>;
  /** The query of a page, for whoever wants to know its plan. */
  query(filter: F): Query<object, R>;
  /** How many there are; counting ends at 10,000. */
  count(store: Store, filter: F): Promise<number>;
}

/** Nobody pages through more by hand, and counting a million rows would make every list slow. */
const COUNTED = 10_000;

type Given<F> = {readonly [K in keyof F]-?: boolean};
type Needed<F> = {[K in keyof F]-?: NonNullable<F[K]>};

/**
 * Defines a list for people: each set of filters becomes one prepared query, so that an index can be chosen for it.
 * `build` gives rows in their order, narrowed by what is `given`; `shape` names the columns.
 */
export function defineListing<F extends {[K in keyof F]: Value | undefined}, R>(
  // The builder's tables and columns are its own business here.
  build: (
    db: Kysely<Schema>,
    given: Given<F>,
    params: Params<Needed<F>>,
    // biome-ignore lint/suspicious/noExplicitAny: which tables and columns it reads is the builder's business
  ) => SelectQueryBuilder<any, any, R>,
): Listing<F, R> {
  type PageParams = Needed<F> & {limit: number; offset: number};
  const pages = new Map<string, Query<PageParams, R>>();
  const counts = new Map<string, Query<Needed<F>, {count: number}>>();

  function givenOf(filter: F): {shape: string; given: Given<F>; values: Needed<F>} {
    const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
    const shape = entries
      .map(([name]) => name)
      .sort()
      .join();
    const values = Object.fromEntries(entries) as Needed<F>;
    // Asked for what is not given, it says false.
    const given = new Proxy(values, {get: (target, name) => Object.hasOwn(target, name)}) as unknown as Given<F>;
    return {shape, given, values};
  }

  function pageOf(shape: string, given: Given<F>): Query<PageParams, R> {
    let query = pages.get(shape);
    if (query === undefined) {
      query = prepare((db, p: Params<PageParams>) => build(db, given, p).limit(p.limit).offset(p.offset));
      pages.set(shape, query);
    }
    return query;
  }

  return {
    page(store, filter, range) {
      const {shape, given, values} = givenOf(filter);
      return store.read(pageOf(shape, given), {...values, ...range} as PageParams);
    },
    query(filter) {
      const {shape, given} = givenOf(filter);
      return pageOf(shape, given) as Query<object, R>;
    },
    async count(store, filter) {
      const {shape, given, values} = givenOf(filter);
      let query = counts.get(shape);
      if (query === undefined) {
        query = prepare((db, p: Params<Needed<F>>) =>
          db
            .selectFrom(
              build(db, given, p)
                .clearSelect()
                .clearOrderBy()
                .select(sql.lit(1).as('one'))
                .limit(sql.lit(COUNTED))
                .as('counted'),
            )
            .select((eb) => eb.fn.countAll<number>().as('count')),
        ) as Query<Needed<F>, {count: number}>;
        counts.set(shape, query);
      }
      return (await store.readFirst(query, values))?.count ?? 0;
    },
  };
}
