import {lookup} from 'node:dns/promises';
import {isIP, type LookupFunction} from 'node:net';
import type {Agent, buildConnector, request} from 'undici';
import {codeOf, PaynetError} from '../errors.js';
import {isPrivateAddress} from './addresses.js';

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<{address: string; family: number}[]>;

export interface TargetRules {
  /** Private, loopback and link-local addresses, and addresses in place of a name. */
  readonly allowPrivate: boolean;
  /** http beside https; an address in place of a name, too. */
  readonly allowHttp: boolean;
}

export interface TargetOptions extends TargetRules {
  readonly url: string;
  /** Who may have signed the endpoint's certificate, PEM; the system's list unless given. */
  readonly ca?: string | undefined;
  readonly resolve?: Resolve | undefined;
  readonly limits?: TargetLimits | undefined;
}

export interface TargetLimits {
  /** Milliseconds, name look-up and TLS included. */
  readonly connectMs: number;
  /** Milliseconds for one attempt, all included. */
  readonly totalMs: number;
  readonly answerBytes: number;
}

export const TARGET_LIMITS: TargetLimits = {connectMs: 3000, totalMs: 5000, answerBytes: 64 * 1024};

/** Requests, and so connections, at the same time: a receiver 15 ms away then takes about 1,000 events a second. */
export const TARGET_WIDTH = 16;

/** What an endpoint said; `retryAfter` is the header as it came. */
export interface Answer {
  readonly status: number;
  readonly retryAfter?: string | undefined;
}

/** A webhook's endpoint. */
export interface Target {
  /** What is signed: path and query. */
  readonly path: string;
  /**
   * Posts once; redirects are not followed. The status is the answer: what comes after it is read up to the limit and
   * dropped.
   * @throws PaynetError EVENT_NOT_ANSWERED or EVENT_TARGET_REFUSED; the message names no address
   */
  post(headers: Record<string, string>, body: Uint8Array): Promise<Answer>;
  /** Ends all connections, requests under way included. */
  close(): Promise<void>;
}

/** @throws PaynetError EVENT_URL the address breaks a rule */
export function openTarget({
  url: text,
  ca,
  resolve = systemResolve,
  limits = TARGET_LIMITS,
  ...rules
}: TargetOptions): Target {
  const url = checkTarget(text, rules);
  let client: Promise<Client> | undefined;
  return {
    path: url.pathname + url.search,
    async post(headers, body) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(notAnswered('no answer in time')), limits.totalMs);
      try {
        client ??= openClient({...rules, limits, resolve, ca});
        const {agent, request} = await client;
        const answer = await request(url, {method: 'POST', headers, body, dispatcher: agent, signal: abort.signal});
        // Whatever goes wrong with the rest of the answer, the endpoint has said whether it has the event.
        await answer.body.dump({limit: limits.answerBytes, signal: abort.signal}).catch(() => {});
        const retryAfter = answer.headers['retry-after'];
        return {status: answer.statusCode, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter};
      } catch (error) {
        throw error instanceof PaynetError ? error : notAnswered(codeOf(error) ?? 'the request failed', error);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await (await client)?.agent.destroy();
    },
  };
}

/**
 * What can be said of a webhook's address before any name is looked up.
 * @throws PaynetError EVENT_URL
 */
export function checkTarget(text: string, {allowPrivate, allowHttp}: TargetRules): URL {
  if (!URL.canParse(text)) throw badUrl('is no URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw badUrl('is neither https nor http');
  if (url.protocol === 'http:' && !allowHttp) throw badUrl('is not https');
  if (url.username !== '' || url.password !== '') throw badUrl('holds a user name or password');
  if (url.hostname.length > 253) throw badUrl('has a name of more than 253 characters');
  const port = Number(url.port);
  if (port > 0 && port < 1024 && port !== 80 && port !== 443 && !allowPrivate) {
    throw badUrl('has a port below 1024 that is not of the web');
  }
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0) {
    if (!allowPrivate && isPrivateAddress(address)) throw badUrl('is a private or reserved address');
    if (!allowPrivate && !allowHttp) throw badUrl('has an address in place of a name');
  }
  url.hash = '';
  return url;
}

interface Client {
  readonly agent: Agent;
  readonly request: typeof request;
}

interface ClientOptions extends TargetRules {
  readonly limits: TargetLimits;
  readonly resolve: Resolve;
  readonly ca: string | undefined;
}

// undici is large, and whoever only adds events to the outbox (the thread of the store, too) has no use for it.
async function openClient(options: ClientOptions): Promise<Client> {
  const undici = await import('undici');
  const {totalMs} = options.limits;
  const agent = new undici.Agent({
    connections: TARGET_WIDTH,
    pipelining: 1,
    connect: guardedConnector(undici.buildConnector, options),
    headersTimeout: totalMs,
    bodyTimeout: totalMs,
    maxHeaderSize: 16 * 1024,
  });
  return {agent, request: undici.request};
}

/**
 * Looks the name up itself, checks every address, and connects to what it has checked: an answer of the DNS that
 * changes in between changes nothing. What the socket is connected to in the end is looked at once more.
 */
function guardedConnector(
  build: typeof buildConnector,
  {allowPrivate, limits, resolve, ca}: ClientOptions,
): buildConnector.connector {
  const isRefused = (address: string | undefined) => !allowPrivate && isPrivateAddress(address ?? '');
  const look: LookupFunction = (name, options, callback) => {
    resolve(name).then(
      (found) => {
        const [first] = found;
        if (first === undefined) callback(notAnswered('the name has no address'), []);
        else if (found.some(({address}) => isRefused(address))) callback(refused(), []);
        else if (options.all) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(notAnswered(codeOf(error) ?? 'the name cannot be looked up', error), []),
    );
  };
  const connect = build({timeout: limits.connectMs, lookup: look, minVersion: 'TLSv1.2', ca});
  return (options, callback) => {
    if (isIP(options.hostname) !== 0 && isRefused(options.hostname)) {
      callback(refused(), null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) callback(error, null);
      else if (isRefused(socket.remoteAddress)) {
        socket.destroy();
        callback(refused(), null);
      } else callback(null, socket);
    });
  };
}

const systemResolve: Resolve = (name) => lookup(name, {all: true});

function badUrl(what: string): PaynetError {
  return new PaynetError('EVENT_URL', `the webhook's address ${what}`, {
    hint: 'Give an https address with a public host name, or allow others in the configuration.',
  });
}

function refused(): PaynetError {
  return new PaynetError('EVENT_TARGET_REFUSED', "the webhook's name leads to a private or reserved address");
}

function notAnswered(why: string, cause?: unknown): PaynetError {
  return new PaynetError('EVENT_NOT_ANSWERED', why, {cause});
}
