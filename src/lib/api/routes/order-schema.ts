import {about, orNull, type Schema, shape, text, time, whole} from '../schema.js';

const fields = {
  order_no: text,
  device_id: text,
  kind: about(text, 'coin or charge'),
  status: text,
  status_code: about(orNull(whole), 'the number of the status of a charging order'),
  port_no: about(orNull(whole), 'from 1'),
  charge_mode: about(orNull(whole), '1 time, 2 energy, 3 power, 4 full'),
  amount_cent: orNull(whole),
  coins: orNull(whole),
  timeout_seconds: orNull(whole),
  progress: about(orNull(whole), 'percent; of a coin order'),
  energy_wh: about(orNull(whole), 'as far as the device has told'),
  duration_seconds: about(orNull(whole), 'as far as the device has told'),
  error: orNull(text),
  end_reason: about(orNull(text), 'what ended it, for a program'),
  attempts: about(orNull(whole), 'how often the command was written to the device; of a coin order'),
  created_at: time,
  sent_at: orNull(time),
  started_at: orNull(time),
  updated_at: time,
  ended_at: orNull(time),
} as const;

/** An order of either kind; what its kind does not know is null. */
export const order: Schema = shape(fields);

/** An order after a request to end it. */
export const endingOrder: Schema = shape({...fields, old_status: about(text, 'before this request')});

export const coinExample = {
  order_no: 'THD1762863000001',
  device_id: 'PB-0001',
  kind: 'coin',
  status: 'created',
  status_code: null,
  port_no: null,
  charge_mode: null,
  amount_cent: null,
  coins: 3,
  timeout_seconds: 60,
  progress: 0,
  energy_wh: null,
  duration_seconds: null,
  error: null,
  end_reason: null,
  attempts: 0,
  created_at: '2025-11-11T12:10:00.000Z',
  sent_at: null,
  started_at: null,
  updated_at: '2025-11-11T12:10:00.000Z',
  ended_at: null,
};

export const chargeExample = {
  ...coinExample,
  order_no: 'THD1762863000002',
  device_id: '82241218000382',
  kind: 'charge',
  status: 'charging',
  status_code: 2,
  port_no: 1,
  charge_mode: 1,
  amount_cent: 100,
  coins: null,
  timeout_seconds: null,
  energy_wh: 20,
  duration_seconds: 600,
  attempts: 1,
  sent_at: '2025-11-11T12:10:00.000Z',
  started_at: '2025-11-11T12:10:01.000Z',
  updated_at: '2025-11-11T12:20:01.000Z',
};
