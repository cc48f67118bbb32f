import {defineOperation, type OrderRow, type Tx} from '../store/index.js';
import {insertLooseStop, isStartWritten} from './charge-commands.js';
import {tellAlarm} from './charge-events.js';
import {lockPort, PORT_STATES, type PortStatus, setPortReported} from './charge-port.js';
import {activeChargeOfPort} from './charge-queries.js';
import {type ChargeFigures, chargeRecordOf} from './charge-record.js';
import {type ChargeInput, type ChargeState, isActiveCharge} from './charge-state.js';
import {applyToCharge, type ChargeResult, lockedCharge} from './charge-write.js';

/** A free port whose order still charges: after so long without a word of it the order is over. */
const FREE_MS = 15 * 60_000;
/** A report may have been on its way while the order of its port ended. */
const OVERTAKEN_MS = 10_000;

/** What a port says that its order does not (iot-middleware.md §9). */
export type PortMismatch = 'charging_without_order' | 'free_while_charging' | 'not_charging';

export interface PortReport {
  readonly deviceId: string;
  readonly portNo: number;
  readonly status: PortStatus;
  /** The device's own status byte. */
  readonly raw: number | null;
  /** What a fault is, if the device says. */
  readonly error?: string | undefined;
  /** Of the order of the port, as far as they are known here. */
  readonly figures?: ChargeFigures | undefined;
  readonly at: number;
}

export interface PortNoted {
  /** What became of the order of the port; undefined when there is none, or nothing happened to it. */
  readonly result: ChargeResult | undefined;
  readonly mismatch: PortMismatch | undefined;
  readonly commanded: boolean;
  /** The same report would not be judged in the same way in a moment. */
  readonly passing: boolean;
}

/** What a port's report is for the order that occupies the port. */
export function judgePort(
  status: PortStatus,
  order: {state: ChargeState; updatedAt: number; startSent: boolean},
  at: number,
  error = 'the port reports a fault',
): {input?: ChargeInput; mismatch?: PortMismatch} {
  const {state, updatedAt, startSent} = order;
  if (status === 'fault') return {input: {kind: 'deviceFault', error}};
  // Before the start was written it cannot be what the port charges for.
  if (status === 'charging') return startSent ? {input: {kind: 'chargingSeen'}} : {mismatch: 'charging_without_order'};
  if (state !== 'charging') return {};
  if (status === 'occupied') return {mismatch: 'not_charging'};
  if (at - updatedAt <= FREE_MS) return {mismatch: 'free_while_charging'};
  return {input: {kind: 'ended', reason: 'port_free'}, mismatch: 'free_while_charging'};
}

/** What a device says of a port: the port's row, and what it means for the order of the port, or for the lack of one. */
export const notePort = defineOperation('orders.notePort', async (tx, report: PortReport): Promise<PortNoted> => {
  const {deviceId, portNo} = report;
  const found = await tx.first(activeChargeOfPort, {deviceId, portNo});
  // Every operation takes the order first, then its port.
  const row = found === undefined ? undefined : await lockedCharge(tx, found.order_no);
  if (row === undefined || !isActiveCharge(row.state as ChargeState)) return noteAlone(tx, report);
  return noteWithOrder(tx, row, report);
});

async function noteWithOrder(tx: Tx, row: OrderRow, report: PortReport): Promise<PortNoted> {
  const {deviceId, portNo, status, raw, error, figures, at} = report;
  const {state, updatedAt, orderNo} = chargeRecordOf(row);
  const port = await lockPort(tx, {deviceId, portNo, at});
  const startSent = state !== 'pending' || (await isStartWritten(tx, orderNo));
  const {input, mismatch} = judgePort(status, {state, updatedAt, startSent}, at, error);
  // The order holds its port until it ends, whatever the port says of being free.
  const isHeld = status === 'free' || (status === 'charging' && !startSent);
  await setPortReported(tx, {deviceId, portNo, status: isHeld ? port.status : PORT_STATES[status], raw, at});
  const result = input === undefined ? undefined : await applyToCharge(tx, row, input, {at, figures});
  return {result, mismatch, commanded: result?.commanded ?? false, passing: false};
}

async function noteAlone(tx: Tx, {deviceId, portNo, status, raw, at}: PortReport): Promise<PortNoted> {
  const nothing = {result: undefined, mismatch: undefined, commanded: false, passing: true};
  const port = await lockPort(tx, {deviceId, portNo, at});
  // One was created, or has ended, since this operation looked.
  if ((await tx.first(activeChargeOfPort, {deviceId, portNo})) !== undefined) return nothing;
  const isOvertaken = port.status === PORT_STATES.free && at - port.updated_at < OVERTAKEN_MS && port.updated_at < at;
  if (status === 'charging' && isOvertaken) return nothing;
  await setPortReported(tx, {deviceId, portNo, status: PORT_STATES[status], raw, at});
  if (status !== 'charging') return {...nothing, passing: false};
  // Nobody has paid for it.
  const metadata = {raw_status: raw};
  const message = 'the port charges without an order: it is stopped';
  const type = 'charging_without_order';
  const told = await tellAlarm(tx, {deviceId, portNo, type, message, of: String(at), metadata, at});
  if (told) await insertLooseStop(tx, {deviceId, portNo, at});
  return {...nothing, mismatch: type, commanded: told, passing: false};
}
