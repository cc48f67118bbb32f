import type {CommandAnswer, Gateway} from '../link/index.js';
import type {CoinOrdersPort} from '../orders/index.js';

const QUERY_TIMEOUT_MS = 10_000;

/** The way of coin orders to their devices. */
export function coinPort(gateway: Gateway, isOnline: (deviceId: string) => boolean): CoinOrdersPort {
  return {
    isOnline,
    async coin({deviceId, orderNo, coins, timeoutSeconds}) {
      await gateway.command(deviceId, {kind: 'coin', orderId: orderNo, coins, timeoutSeconds});
    },
    async query({deviceId, orderNo}): Promise<CommandAnswer> {
      const answer = await gateway.command(deviceId, {
        kind: 'queryOrder',
        orderId: orderNo,
        timeoutMs: QUERY_TIMEOUT_MS,
      });
      return answer ?? {found: false};
    },
  };
}
