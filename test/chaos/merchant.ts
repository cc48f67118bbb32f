import {CallError, type Client, pathOf} from '../../src/lib/client/index.js';
import {pause} from './waiting.js';

/** An order as a shop knows it. */
export interface ShopOrder {
  readonly orderNo: string;
  readonly deviceId: string;
  readonly coins: number;
  readonly timeoutSeconds: number;
  readonly keepSeconds?: number;
  /** `accepted`: it has paid out, or will. `refused`: nothing was ordered, the customer has his money back. */
  answer?: 'accepted' | 'refused';
  /** The code of the refusal. */
  code?: string;
  /** It was told that the order is cancelled. */
  cancelled?: boolean;
}

interface OrderData {
  order_no: string;
  device_id: string;
  status: string;
  coins: number;
}

/** These say nothing about the order: a shop asks again. */
const isPassing = ({status}: CallError): boolean =>
  status === undefined || status >= 500 || status === 408 || status === 429;

/** A shop: places each order under a number of its own, and repeats the same request until it has an answer. */
export class Merchant {
  readonly orders = new Map<string, ShopOrder>();
  /** Requests in all. */
  requests = 0;
  /** Answers that contradict what was answered before. */
  readonly contradictions: string[] = [];
  readonly #api: Client;
  readonly #closed = new AbortController();

  constructor(api: Client) {
    this.#api = api;
  }

  /** Resolves with the first real answer, however long the server is away. */
  async place(order: ShopOrder): Promise<ShopOrder> {
    this.orders.set(order.orderNo, order);
    const before = order.answer;
    try {
      await this.#insist(async () => {
        const data = await this.#api.post<OrderData>('/api/v1/coin-orders', {body: bodyOf(order)});
        if (data.order_no !== order.orderNo || data.device_id !== order.deviceId || data.coins !== order.coins) {
          this.contradictions.push(`${order.orderNo} is answered as ${JSON.stringify(data)}`);
        }
      });
      order.answer = 'accepted';
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      order.answer = 'refused';
      order.code = error.code;
    }
    if (before !== undefined && before !== order.answer) {
      this.contradictions.push(`${order.orderNo} was ${before}, and is ${order.answer} (${order.code}) now`);
    }
    return order;
  }

  /** Tries to cancel; an order that is with its device stays. */
  async cancel(order: ShopOrder): Promise<void> {
    try {
      const {status} = await this.#insist(() =>
        this.#api.post<OrderData>(pathOf`/api/v1/coin-orders/${order.orderNo}/cancel`),
      );
      if (status === 'cancelled') order.cancelled = true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  /** What the server says of an order; undefined when it knows none. */
  async status(orderNo: string): Promise<string | undefined> {
    try {
      return await this.#insist(
        async () => (await this.#api.get<OrderData>(pathOf`/api/v1/coin-orders/${orderNo}`)).status,
      );
    } catch (error) {
      if (error instanceof CallError && error.code === 'ORDER_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Order numbers that devices contradict. */
  async discrepancies(): Promise<string[]> {
    const found: string[] = [];
    for (let page = 1; ; page++) {
      const query = {page, page_size: 100};
      const {discrepancies, total} = await this.#insist(() =>
        this.#api.get<{discrepancies: {order_no: string}[]; total: number}>('/api/v1/discrepancies', query),
      );
      found.push(...discrepancies.map(({order_no: orderNo}) => orderNo));
      if (found.length >= total || discrepancies.length === 0) return found;
    }
  }

  /** Ends whatever is being repeated. */
  close(): void {
    this.#closed.abort();
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#closed.signal.throwIfAborted();
      this.requests += 1;
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof CallError) || !isPassing(error)) throw error;
        await pause(Math.min(error.retryAfterMs ?? 50, 500));
      }
    }
  }
}

function bodyOf({orderNo, deviceId, coins, timeoutSeconds, keepSeconds}: ShopOrder): object {
  return {
    order_no: orderNo,
    device_id: deviceId,
    coins,
    timeout_seconds: timeoutSeconds,
    ...(keepSeconds !== undefined && {keep_seconds: keepSeconds}),
  };
}
