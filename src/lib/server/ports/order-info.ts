import type {OrderInfo} from '../../api/index.js';
import {CHARGE_MODES, type ChargeRecord, type CoinRecord, chargeRecordOf, recordOf} from '../../orders/index.js';
import type {OrderRow} from '../../store/index.js';
import type {Business} from '../business.js';

/** A coin order in the words of the interface. */
export function coinInfo(order: CoinRecord): OrderInfo {
  return {
    orderNo: order.orderNo,
    deviceId: order.deviceId,
    kind: 'coin',
    status: order.state,
    statusCode: null,
    portNo: null,
    chargeMode: null,
    amountCent: order.amountCent,
    coins: order.coins,
    timeoutSeconds: order.timeoutSeconds,
    progress: order.progress,
    energyWh: null,
    durationSeconds: null,
    error: textOrNull(order.error),
    endReason: order.endReason,
    attempts: order.attempts,
    createdAt: order.createdAt,
    sentAt: order.sentAt,
    startedAt: order.startedAt,
    updatedAt: order.updatedAt,
    endedAt: order.endedAt,
  };
}

/** A charging order in the words of the interface. */
export function chargeInfo(order: ChargeRecord): OrderInfo {
  return {
    orderNo: order.orderNo,
    deviceId: order.deviceId,
    kind: 'charge',
    status: order.state,
    statusCode: order.stateCode,
    portNo: order.portNo,
    chargeMode: CHARGE_MODES[order.mode.by],
    amountCent: order.amountCent,
    coins: null,
    timeoutSeconds: null,
    progress: null,
    energyWh: order.energyWh,
    durationSeconds: order.durationSeconds,
    error: textOrNull(order.error),
    endReason: textOrNull(order.endReason),
    attempts: null,
    createdAt: order.createdAt,
    sentAt: null,
    startedAt: order.startedAt,
    updatedAt: order.updatedAt,
    endedAt: order.endedAt,
  };
}

/** A stored order of either kind. */
export const orderInfo = (row: OrderRow): OrderInfo =>
  row.kind === 'coin' ? coinInfo(recordOf(row)) : chargeInfo(chargeRecordOf(row));

/** An open order as it is now: what its device has told since is not in its row yet. */
export async function openOrderInfo(
  {coins, charging}: Pick<Business, 'coins' | 'charging'>,
  row: OrderRow,
): Promise<OrderInfo> {
  if (row.kind === 'coin') return coinInfo((await coins.get(row.order_no)) ?? recordOf(row));
  return chargeInfo((await charging.charges.get(row.order_no)) ?? chargeRecordOf(row));
}

const textOrNull = (text: string): string | null => (text === '' ? null : text);
