import {success} from './envelope.js';
import {ApiError} from './errors.js';
import {type Exchange, JSON_TYPE, type Route, respond} from './exchange.js';
import {type Idempotency, newOrderNo} from './idempotency.js';
import {parseJson} from './json.js';
import type {Scope} from './keys.js';
import {IDEMPOTENCY_HEADER} from './openapi.js';
import {object, type Schema} from './schema.js';
import {checkOf} from './validate.js';
import {queryOf, toWire} from './wire.js';

export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  /** A number for a new order whose sender gave none. */
  reservedNo(): string;
}

/** One operation of the interface: what is checked, what is documented and what is done. */
export interface Endpoint<Params = unknown, Query = unknown, Body = unknown> {
  method: 'GET' | 'POST';
  path: string;
  /** Other paths that do the same. */
  aliases?: readonly string[];
  scope: Scope;
  tag: string;
  summary: string;
  description?: string;
  params?: Schema;
  query?: Schema;
  body?: Schema;
  /** The answer holds a secret: it is not kept for an Idempotency-Key. */
  isSecret?: boolean;
  /** 202: accepted, and done later. */
  status: 200 | 202;
  /** What the answer's `data` is. */
  data: Schema;
  example: {body?: unknown; data: unknown};
  run(call: Call<Params, Query, Body>): Promise<unknown>;
}

/** An endpoint whose types belong together: the schemas have checked what the types say. */
export function endpoint<Params = unknown, Query = unknown, Body = unknown>(
  described: Endpoint<Params, Query, Body>,
): Endpoint {
  return described as Endpoint;
}

export interface MountOptions {
  idempotently: Idempotency;
  now: () => number;
}

/** The routes of an endpoint: its path and its aliases. */
export function routesOf(each: Endpoint, {idempotently, now}: MountOptions): Route[] {
  const read = readerOf(each);
  const isPost = each.method === 'POST';

  async function handle(exchange: Exchange): Promise<void> {
    const {request, id} = exchange;
    const call = read(exchange);
    const key = isPost ? request.headers['idempotency-key'] : undefined;
    if (typeof key === 'string') {
      await repeatably(key, exchange, call);
      return;
    }
    call.reservedNo = () => newOrderNo(now());
    const data = toWire(await each.run(call));
    respond(exchange, each.status, JSON_TYPE, JSON.stringify(success(data, id, now())));
  }

  async function repeatably(key: string, exchange: Exchange, call: AnyCall): Promise<void> {
    const {id, method, url, rawBody, caller} = exchange;
    if (each.isSecret) throw new ApiError('INVALID_PARAMETER', 'an Idempotency-Key is not taken here');
    const work = async (orderNo: string): Promise<unknown> =>
      toWire(await each.run({...call, reservedNo: () => orderNo}));
    const asked = {key, keyId: caller?.id ?? '', method, url, body: rawBody, status: each.status};
    const made = await idempotently(asked, work);
    const replayed = made.replayed ? {'idempotency-replayed': 'true'} : undefined;
    respond(exchange, made.status, JSON_TYPE, JSON.stringify(success(made.data, id, now())), replayed);
  }

  const {method, scope} = each;
  return [each.path, ...(each.aliases ?? [])].map((path) => ({method, path, scope, handle}));
}

type AnyCall = Call<unknown, unknown, unknown>;

const NO_FIELDS = object({});

/** Reads what the endpoint needs of a request and checks it. */
function readerOf(each: Endpoint): (exchange: Exchange) => AnyCall {
  const checkParams = each.params && checkOf(each.params, 'path');
  const checkQuery = each.query && checkOf(each.query, 'query');
  const integers = integersOf(each.query);
  const isPost = each.method === 'POST';
  const checkBody = checkOf(each.body ?? NO_FIELDS, 'body');
  const checkHeaders = checkOf(IDEMPOTENCY_HEADER, 'headers');
  return ({request, url, params, rawBody}) => {
    checkParams?.(params);
    let body: unknown;
    if (isPost) {
      body = rawBody.length === 0 ? {} : parseJson(rawBody);
      checkBody(body);
      checkHeaders(request.headers);
    }
    if (checkQuery === undefined) return {params, query: undefined, body, reservedNo: () => ''};
    const query = queryOf(url);
    readIntegers(query, integers);
    checkQuery(query);
    return {params, query, body, reservedNo: () => ''};
  };
}

/** A query is text: what is written as a plain whole number becomes one, anything else is left for the schema to refuse. */
function readIntegers(query: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const value = query[name];
    if (typeof value === 'string' && /^(?:0|[1-9][0-9]{0,14})$/.test(value)) query[name] = Number(value);
  }
}

function integersOf(query: Schema | undefined): string[] {
  const fields = (query?.properties ?? {}) as Record<string, Schema>;
  return Object.keys(fields).filter((name) => fields[name]?.type === 'integer');
}
