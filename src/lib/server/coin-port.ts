import type {Gateway, OrderAnswer} from '../link/index.js';
import type {CoinOrdersPort} from '../orders/index.js';

const QUERY_TIMEOUT_MS = 10_000;

/** The way of coin orders to their devices. */
export function coinPort(gateway: Gateway, isOnline: (deviceId: string) => boolean): CoinOrdersPort {
  return {
    isOnline,
    async coin({deviceId, orderNo, coins, timeoutSeconds}) {
      await gateway.command(deviceId, {kind: 'coin', orderId: orderNo, coins, timeoutSeconds});
    },
    async query({deviceId, orderNo}): Promise<OrderAnswer> {
      const answer = await gateway.command(deviceId, {
        kind: 'queryOrder',
        orderId: orderNo,
        timeoutMs: QUERY_TIMEOUT_MS,
      });
      return answer !== undefined && 'found' in answer ? answer : {found: false};
    },
  };
}
