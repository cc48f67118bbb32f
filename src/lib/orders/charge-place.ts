import {PaynetError} from '../errors.js';
import {admits, PRIORITY} from '../outbound/index.js';
import type {ChargeCore} from './charge-core.js';
import {asKnown, createCharge} from './charge-operations.js';
import {activeChargeOfPort} from './charge-queries.js';
import type {ChargeRecord} from './charge-record.js';
import {type ChargeRequest, chargeHash, checkChargeRequest, plainMode} from './charge-request.js';
import type {ChargeRefusal} from './charge-state.js';
import {orderByNo} from './queries.js';

/** More requests for one device at once are not left to wait for each other. */
const DEVICE_LIMIT = 100;

export interface ChargePlaced {
  readonly outcome: 'created' | 'same';
  readonly order: ChargeRecord;
}

/** Places an order: see `ChargeOrders.create`. */
export async function placeCharge(core: ChargeCore, request: ChargeRequest): Promise<ChargePlaced> {
  checkChargeRequest(request);
  core.requireOpen();
  const {orderNo, deviceId, portNo, amountCent} = request;
  const {pricePerKwhCent = null, serviceFeePermille = null} = request;
  const bodyHash = chargeHash(request);
  const refusal = refusalOf(core, deviceId);
  if (refusal !== undefined) return knownOnly(core, orderNo, bodyHash, refusal);
  const mode = plainMode(request.mode);
  const prices = {amountCent, pricePerKwhCent, serviceFeePermille};
  const result = await core.turns.run(deviceId, async () => {
    const at = core.now();
    const created = await core.store.run(createCharge, {orderNo, deviceId, portNo, mode, ...prices, bodyHash, at});
    if (created.outcome === 'created') {
      if (core.ports.has(deviceId)) core.book.put(created.order);
      core.ports.forget(deviceId, portNo);
    }
    return created;
  });
  switch (result.outcome) {
    case 'created':
      core.options.tell({kind: 'created', order: result.order});
      core.options.commandStored(deviceId);
      return result;
    case 'same':
      return result;
    case 'conflict':
      throw conflict(orderNo);
    case 'pending':
      throw new PaynetError('PENDING_ORDER_EXISTS', `port ${portNo} has an order that its device is just taking`);
    case 'fault':
      throw new PaynetError('PORT_FAULT', `port ${portNo} reports a fault: nothing was ordered`);
    case 'busy':
      throw new PaynetError('PORT_BUSY', `port ${portNo} is in use: nothing was ordered`);
  }
}

/** Why a new order cannot be taken at the moment. */
function refusalOf({options, turns}: ChargeCore, deviceId: string): PaynetError | undefined {
  const {port, waitingCommands} = options;
  if (!port.isOnline(deviceId)) {
    return new PaynetError('DEVICE_OFFLINE', 'the device is not online: nothing was ordered');
  }
  if (!port.supports(deviceId, 'startCharge')) {
    return new PaynetError('COMMAND_UNSUPPORTED', 'the device cannot charge: nothing was ordered');
  }
  if (!admits(PRIORITY.normal, waitingCommands()) || turns.length(deviceId) >= DEVICE_LIMIT) {
    return new PaynetError('QUEUE_OVERLOADED', 'too many commands wait for their devices: nothing was ordered', {
      hint: 'Place the same order again in a moment.',
    });
  }
  return undefined;
}

/** Answers an order that is known when a new one would be refused. */
async function knownOnly(
  core: ChargeCore,
  orderNo: string,
  bodyHash: string,
  refusal: PaynetError,
): Promise<ChargePlaced> {
  const row = await core.store.readFirst(orderByNo, {orderNo});
  if (row === undefined) throw refusal;
  const known = asKnown(row, bodyHash);
  if (known.outcome === 'same') return {outcome: 'same', order: known.order};
  throw conflict(orderNo);
}

const conflict = (orderNo: string): PaynetError =>
  new PaynetError('ORDER_CONFLICT', `order ${orderNo} exists with another content`, {
    hint: 'Use a new order number for a new order.',
  });

/** Cancels or stops an order; one that is being ended already stays as it is. */
export async function callOff(
  core: ChargeCore,
  orderNo: string,
  kind: 'cancelAsked' | 'stopAsked',
): Promise<ChargeRecord> {
  core.requireOpen();
  const order = core.book.get(orderNo)?.order ?? (await core.find(orderNo));
  if (order === undefined) throw notFound(orderNo);
  // Above a thousand waiting commands nothing else would be taken, and this one must.
  const stopPriority = admits(PRIORITY.high, core.options.waitingCommands()) ? PRIORITY.high : PRIORITY.emergency;
  const result = await core.apply(order.deviceId, {orderNo, input: {kind}, stopPriority});
  if (result === undefined) throw notFound(orderNo);
  if (result.refusal !== undefined) throw refused(result.refusal, result.order);
  return result.order;
}

/** Stops the order of a port, whichever it is or, with a number, this one. */
export async function stopOnPort(
  core: ChargeCore,
  deviceId: string,
  portNo: number,
  orderNo: string | undefined,
): Promise<ChargeRecord> {
  core.requireOpen();
  const active = await core.store.readFirst(activeChargeOfPort, {deviceId, portNo});
  if (active === undefined) throw mismatch(`port ${portNo} has no order that could be stopped`);
  if (orderNo !== undefined && active.order_no !== orderNo) throw mismatch(`port ${portNo} has another order`);
  return callOff(core, active.order_no, 'stopAsked');
}

const mismatch = (what: string): PaynetError => new PaynetError('PORT_STATE_MISMATCH', what);

const notFound = (orderNo: string): PaynetError =>
  new PaynetError('ORDER_NOT_FOUND', `there is no charging order ${orderNo}`);

function refused(refusal: ChargeRefusal, {orderNo, state}: ChargeRecord): PaynetError {
  switch (refusal) {
    case 'ORDER_IS_CHARGING':
      return new PaynetError(refusal, `order ${orderNo} charges: stop it instead of cancelling it`);
    case 'ORDER_FINISHED':
      return new PaynetError(refusal, `order ${orderNo} is over: ${state}`);
    case 'INVALID_TRANSITION':
      return mismatch(`order ${orderNo} is ${state}: its device must come back before it can be stopped`);
  }
}
