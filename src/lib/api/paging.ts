import {type Endpoint, endpoint} from './endpoint.js';
import type {Page, Paged} from './ports.js';
import {type Fields, list, query, type Schema, shape, whole} from './schema.js';

/** An endpoint that lists, page by page. */
export interface Listing<Filter> {
  path: string;
  aliases?: readonly string[];
  tag: string;
  summary: string;
  description?: string;
  /** The field of the answer that holds the list. */
  name: string;
  item: Schema;
  example: unknown;
  /** Fields of the query, besides those of the page. */
  filters: Fields;
  list(filter: Filter & Page): Promise<Paged<unknown>>;
}

const page: Fields = {
  page: {type: 'integer', minimum: 1, maximum: 1_000_000, default: 1},
  page_size: {type: 'integer', minimum: 1, maximum: 100, default: 20},
};

/** The endpoint of a listing. */
export function listing<Filter>(described: Listing<Filter>): Endpoint {
  const {name, item, example, filters, list: read, ...rest} = described;
  return endpoint<unknown, Filter & {page: number; page_size: number}>({
    ...rest,
    method: 'GET',
    scope: 'read',
    query: query({...filters, ...page}),
    status: 200,
    data: shape({[name]: list(item), total: whole, page: whole, page_size: whole}),
    example: {data: {[name]: [example], total: 1, page: 1, page_size: 20}},
    async run({query: {page: number, page_size: pageSize, ...filter}}) {
      const {items, total} = await read({...filter, page: number, pageSize} as Filter & Page);
      return {[name]: items, total, page: number, pageSize};
    },
  });
}
