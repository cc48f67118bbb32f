import type {Awaitable} from '../link/index.js';

/** A device asks to be registered. */
export interface RegisterHookRequest {
  readonly deviceSn: string;
  readonly model: string;
  readonly firmware: string;
  /** What the device showed; null without mutual TLS. */
  readonly certificate: HookCertificate | null;
  /** The IP address it comes from. */
  readonly address: string;
}

export interface HookCertificate {
  /** The common name. */
  readonly subject: string;
  /** Upper-case hex. */
  readonly serial: string;
}

/** A device asks to be let in. */
export interface LoginHookRequest {
  readonly deviceId: string;
  /** Of its firmware. */
  readonly version: string;
  /** It continues an earlier session. */
  readonly resumed: boolean;
  readonly address: string;
}

/** Somebody asks for coins or current; nothing of the order is stored yet. */
export interface OrderHookRequest {
  readonly orderNo: string;
  readonly deviceId: string;
  readonly kind: 'coin' | 'charge';
  /** Of a coin order; else null, as all that follows where an order has none. */
  readonly coins: number | null;
  readonly timeoutSeconds: number | null;
  readonly portNo: number | null;
  /** What was paid, in cents. */
  readonly amountCent: number | null;
}

/**
 * Yes, or no with a sentence: it goes to the device's log or to whoever ordered; 200 characters of it at most. An async
 * hook whose every way ends with yes says `true as const`: TypeScript takes it for any boolean otherwise.
 */
export type HookAnswer = true | {readonly refuse: string};

/**
 * Decisions of the business, asked after everything that the server checks itself. All are optional. A hook that throws,
 * answers anything else or takes too long refuses. One that need not wait should answer at once, without a promise.
 */
export interface Hooks {
  register?(request: RegisterHookRequest): Awaitable<HookAnswer>;
  login?(request: LoginHookRequest): Awaitable<HookAnswer>;
  order?(request: OrderHookRequest): Awaitable<HookAnswer>;
}

export type HookName = keyof Hooks;
export const HOOK_NAMES = ['register', 'login', 'order'] as const satisfies readonly HookName[];

/** The same hooks; an editor then knows their types: `export default defineHooks({…})`. */
export function defineHooks(hooks: Hooks): Hooks {
  return hooks;
}
