import type {CoinProgress, Peer} from './adapter.js';

export interface RegisterRequest {
  deviceSn: string;
  model: string;
  firmware: string;
  devicePubkey: Uint8Array;
  peer: Peer;
}

export interface LoginRequest {
  deviceId: string;
  /** The login token, or a resume token that is not good any more; empty when `resumed`. */
  token: string;
  version: string;
  /** The device showed a good resume token of an earlier login. */
  resumed: boolean;
  peer: Peer;
}

/** Yes, or no with a sentence for the device's log. */
export type Verdict = {allowed: true} | {allowed: false; reason: string};

/**
 * What only the business can decide. The link has checked before that the id is well formed and, where configured,
 * that it belongs to the certificate. A hook that throws refuses.
 */
export interface LinkHooks {
  /** May this device register, and as whom? `first` is false when it is known to have been here before. */
  register(
    request: RegisterRequest,
  ): Awaitable<(Verdict & {allowed: false}) | {allowed: true; deviceId: string; first: boolean}>;
  /** May this device log in? */
  login(request: LoginRequest): Awaitable<Verdict>;
  /** What is known of a device's order; undefined when there is none. */
  order(deviceId: string, orderId: string): Awaitable<OrderView | undefined>;
}

export interface OrderView {
  state: CoinProgress;
  /** Percent. */
  progress: number;
  error: string;
}

export type Awaitable<T> = T | Promise<T>;
