import {createHash} from 'node:crypto';
import {PaynetError} from '../errors.js';
import {isId} from '../registry/index.js';
import type {OrderedCharge, PowerTier} from './charge-record.js';

export interface ChargeRequest {
  /** 1 to 32 characters; the same number is the same order, for ever. */
  readonly orderNo: string;
  readonly deviceId: string;
  /** 1 to 65,535. */
  readonly portNo: number;
  /** 60 to 54,000 seconds; 1 to 1,000,000 watt-hours; or 1 to 5 tiers. */
  readonly mode: OrderedCharge;
  /** What was paid, in cents; 1 or more. */
  readonly amountCent: number;
  readonly pricePerKwhCent?: number | undefined;
  /** 0 to 1,000. */
  readonly serviceFeePermille?: number | undefined;
}

const LONGEST_NO = 32;
const MIN_SECONDS = 60;
const MAX_SECONDS = 54_000;
const MAX_WATT_HOURS = 1_000_000;
const MAX_TIERS = 5;
const MAX_16_BIT = 0xffff;
const MAX_CENTS = Number.MAX_SAFE_INTEGER;

/** @throws PaynetError ORDER_INVALID */
export function checkChargeRequest(request: ChargeRequest): void {
  const {orderNo, deviceId, portNo, mode, amountCent, pricePerKwhCent = 0, serviceFeePermille = 0} = request;
  if (!isId(orderNo) || orderNo.length > LONGEST_NO) refuse(`orderNo must be 1 to ${LONGEST_NO} visible characters`);
  if (!isId(deviceId)) refuse('deviceId must be 1 to 128 visible characters');
  if (!isWithin(portNo, 1, MAX_16_BIT)) refuse(`portNo must be a whole number from 1 to ${MAX_16_BIT}`);
  if (!isWithin(amountCent, 1, MAX_CENTS)) refuse('amountCent must be a whole number of cents, 1 or more');
  if (!isWithin(pricePerKwhCent, 0, MAX_CENTS)) refuse('pricePerKwhCent must be a whole number of cents');
  if (!isWithin(serviceFeePermille, 0, 1000)) refuse('serviceFeePermille must be a whole number from 0 to 1000');
  checkMode(mode);
}

function checkMode(mode: OrderedCharge): void {
  switch (mode.by) {
    case 'time':
      if (!isWithin(mode.seconds, MIN_SECONDS, MAX_SECONDS)) {
        refuse(`seconds must be a whole number from ${MIN_SECONDS} to ${MAX_SECONDS}`);
      }
      return;
    case 'energy':
      if (!isWithin(mode.wattHours, 1, MAX_WATT_HOURS)) {
        refuse(`wattHours must be a whole number from 1 to ${MAX_WATT_HOURS}`);
      }
      return;
    case 'power':
      if (!Array.isArray(mode.tiers) || !isWithin(mode.tiers.length, 1, MAX_TIERS)) {
        refuse(`tiers must be 1 to ${MAX_TIERS}`);
      }
      mode.tiers.forEach(checkTier);
      return;
    case 'full':
      return;
    default:
      refuse('mode must be by time, energy, power or full');
  }
}

function checkTier({watts, cents, seconds}: PowerTier): void {
  if (!isWithin(watts, 1, MAX_16_BIT)) refuse(`the watts of a tier must be 1 to ${MAX_16_BIT}`);
  if (!isWithin(cents, 0, MAX_16_BIT)) refuse(`the cents of a tier must be 0 to ${MAX_16_BIT}`);
  if (!isWithin(seconds, 1, MAX_SECONDS)) refuse(`the seconds of a tier must be 1 to ${MAX_SECONDS}`);
}

/** Only what belongs to a mode, in one order: it is stored, hashed and sent like that. */
export function plainMode(mode: OrderedCharge): OrderedCharge {
  switch (mode.by) {
    case 'time':
      return {by: 'time', seconds: mode.seconds};
    case 'energy':
      return {by: 'energy', wattHours: mode.wattHours};
    case 'power':
      return {by: 'power', tiers: mode.tiers.map(({watts, cents, seconds}) => ({watts, cents, seconds}))};
    case 'full':
      return {by: 'full'};
  }
}

/** Of everything that was ordered: the same number with another one is another order. */
export function chargeHash(request: ChargeRequest): string {
  const {deviceId, portNo, mode, amountCent, pricePerKwhCent = null, serviceFeePermille = null} = request;
  const body = JSON.stringify([deviceId, portNo, plainMode(mode), amountCent, pricePerKwhCent, serviceFeePermille]);
  return createHash('sha256').update(body).digest('base64url');
}

const isWithin = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max;

function refuse(what: string): never {
  throw new PaynetError('ORDER_INVALID', what);
}
