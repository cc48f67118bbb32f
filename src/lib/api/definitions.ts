/** What a port can be (iot-middleware.md §5.5). */
export const PORT_STATES = ['free', 'occupied', 'charging', 'fault'] as const;

/** Why charging ended, whatever the device calls it; a reason that is not here is the device's own. */
export const END_REASONS = {
  normal: 'the device gave no reason',
  full_stop: 'the vehicle is full',
  time_reached: 'the ordered time is over',
  kwh_reached: 'the ordered energy is used up',
  limit_reached: 'the ordered time or energy is used up',
  max_time_reached: 'the device charges no longer than this',
  max_time: 'the server charges no longer than this',
  no_load: 'nothing draws current',
  low_power: 'too little power is drawn',
  user_unplug: 'the plug was pulled',
  swipe_stop: 'stopped with a card',
  server_stop: 'stopped by the server',
  external_stop: 'stopped from outside',
  forced_stop: 'stopped by force',
  power_off: 'the power failed',
  overload: 'too much power is drawn',
  over_power: 'too much power is drawn',
  over_current: 'too much current is drawn',
  over_temp: 'it is too hot',
  temp_high: 'it is too hot',
  meter_fault: 'the meter is broken',
  relay_fault: 'the relay is broken',
  voltage_abnormal: 'the voltage is wrong',
  mem_error: 'the memory of the device is broken',
  water_alarm: 'there is water in the device',
  fire_cutoff: 'cut off because of fire or smoke',
  door: 'the door of the device is open',
} as const;
