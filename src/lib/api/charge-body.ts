import {ApiError} from './errors.js';
import type {ChargeMode, NewChargeOrder} from './ports.js';
import {about, type Fields, orderNo} from './schema.js';

/** The fields that name a port; `portOf` reads them. */
export const portFields: Fields = {
  port_no: about({type: 'integer', minimum: 1, maximum: 65_535}, 'from 1'),
  socket_no: about({type: 'integer', minimum: 1, maximum: 250}, 'with plug_no, instead of port_no'),
  plug_no: about({type: 'integer', minimum: 0, maximum: 1}, '0 left, 1 right'),
};

export interface PortBody {
  port_no?: number;
  socket_no?: number;
  plug_no?: number;
}

const minutes = {type: 'integer', minimum: 1, maximum: 900};
const watts = {type: 'integer', minimum: 1, maximum: 65_535};

/** The fields of a new charging order, all but the device. */
export const chargeFields: Fields = {
  order_no: orderNo,
  ...portFields,
  charge_mode: about({type: 'integer', minimum: 1, maximum: 4}, '1 time, 2 energy, 3 power, 4 full'),
  amount: about({type: 'integer', minimum: 1, maximum: 4_294_967_295}, 'what was paid, in cents'),
  duration_minutes: about(minutes, 'for charge_mode 1, and for 3 with power'),
  duration: about(minutes, 'the old name of duration_minutes'),
  energy_wh: about({type: 'integer', minimum: 1, maximum: 1_000_000}, 'for charge_mode 2'),
  energy_kwh: about({type: 'number', minimum: 0.001, maximum: 1000}, 'instead of energy_wh; at most three decimals'),
  power: about(watts, 'watts, for charge_mode 3'),
  power_levels: about(
    {
      type: 'array',
      minItems: 1,
      maxItems: 5,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['power_w', 'price_cent', 'minutes'],
        properties: {power_w: watts, price_cent: {type: 'integer', minimum: 0, maximum: 65_535}, minutes},
      },
    },
    'instead of power',
  ),
  price_per_kwh: about({type: 'integer', minimum: 0, maximum: 1_000_000}, 'in cents'),
  service_fee: about({type: 'integer', minimum: 0, maximum: 1000}, 'per mille'),
};

/** All but these are optional. */
export const CHARGE_REQUIRED: readonly string[] = ['charge_mode', 'amount'];

export interface ChargeBody extends PortBody {
  order_no?: string;
  charge_mode: number;
  amount: number;
  duration_minutes?: number;
  duration?: number;
  energy_wh?: number;
  energy_kwh?: number;
  power?: number;
  power_levels?: readonly {power_w: number; price_cent: number; minutes: number}[];
  price_per_kwh?: number;
  service_fee?: number;
}

/** @throws ApiError INVALID_PARAMETER when the fields do not go together */
export function chargeOf(deviceId: string, body: ChargeBody, reservedNo: () => string): NewChargeOrder {
  return {
    orderNo: body.order_no ?? reservedNo(),
    deviceId,
    portNo: portOf(body),
    mode: modeOf(body),
    amountCent: body.amount,
    pricePerKwhCent: body.price_per_kwh,
    serviceFeePermille: body.service_fee,
  };
}

/** The number of a port: two plugs to a socket. @throws ApiError INVALID_PARAMETER */
export function portOf({port_no, socket_no, plug_no}: PortBody): number {
  if (port_no !== undefined) {
    if (socket_no !== undefined || plug_no !== undefined) refuse('give port_no, or socket_no and plug_no, not both');
    return port_no;
  }
  if (socket_no === undefined || plug_no === undefined) refuse('port_no is missing, or socket_no and plug_no');
  return (socket_no - 1) * 2 + plug_no + 1;
}

/** What each mode needs; a field of another mode would be a limit that nobody keeps. */
function modeOf(body: ChargeBody): ChargeMode {
  const {charge_mode: mode, amount, energy_wh, energy_kwh, power, power_levels: levels} = body;
  const minutes = either(body, 'duration_minutes', 'duration');
  const energy = either(body, 'energy_wh', 'energy_kwh');
  if (minutes !== undefined && mode !== 1 && (mode !== 3 || levels !== undefined)) {
    refuse('duration_minutes is for charge_mode 1, and for 3 with power');
  }
  if (energy !== undefined && mode !== 2) refuse('energy_wh and energy_kwh are for charge_mode 2');
  if ((power ?? levels) !== undefined && mode !== 3) refuse('power and power_levels are for charge_mode 3');
  switch (mode) {
    case 1:
      if (minutes === undefined) refuse('charge_mode 1 needs duration_minutes');
      return {by: 'time', seconds: minutes * 60};
    case 2:
      return {by: 'energy', wattHours: energy_wh ?? wattHoursOf(energy_kwh)};
    case 3:
      return {by: 'power', tiers: tiersOf(amount, minutes, power, levels)};
    default:
      return {by: 'full'};
  }
}

function tiersOf(
  amount: number,
  minutes: number | undefined,
  power: number | undefined,
  levels: ChargeBody['power_levels'],
): {watts: number; cents: number; seconds: number}[] {
  if (levels !== undefined) {
    if (power !== undefined) refuse('give power or power_levels, not both');
    return levels.map(({power_w, price_cent, minutes: each}) => ({
      watts: power_w,
      cents: price_cent,
      seconds: each * 60,
    }));
  }
  if (power === undefined || minutes === undefined) {
    refuse('charge_mode 3 needs power and duration_minutes, or power_levels');
  }
  if (amount > 65_535) refuse('an amount above 65535 needs power_levels in charge_mode 3');
  return [{watts: power, cents: amount, seconds: minutes * 60}];
}

function wattHoursOf(kwh: number | undefined): number {
  if (kwh === undefined) refuse('charge_mode 2 needs energy_wh or energy_kwh');
  const wattHours = Math.round(kwh * 1000);
  if (Math.abs(kwh * 1000 - wattHours) > 1e-6) refuse('energy_kwh has at most three decimals');
  return wattHours;
}

function either(
  body: ChargeBody,
  name: 'duration_minutes' | 'energy_wh',
  other: 'duration' | 'energy_kwh',
): number | undefined {
  if (body[name] !== undefined && body[other] !== undefined) refuse(`give ${name} or ${other}, not both`);
  return body[name] ?? body[other];
}

function refuse(sentence: string): never {
  throw new ApiError('INVALID_PARAMETER', sentence);
}
