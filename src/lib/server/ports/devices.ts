import type {DevicesPort} from '../../api/index.js';
import type {Devices} from '../../devices/index.js';
import {PaynetError} from '../../errors.js';
import type {Gateway} from '../../link/index.js';
import {printable} from '../../observe/index.js';

/** Devices as the HTTP interface has them. */
export function devicesPort({gateway, devices}: {gateway: Gateway; devices: Devices}): DevicesPort {
  return {
    list: (filter) => devices.list(filter),
    get: (deviceId) => devices.get(deviceId),
    async kick(deviceId, reason) {
      if (gateway.kick(deviceId, reason === '' ? undefined : printable(reason))) return;
      throw new PaynetError('DEVICE_OFFLINE', `the device ${printable(deviceId)} is not online`);
    },
    async send(deviceId, {type, payload}) {
      try {
        await gateway.command(deviceId, {kind: 'raw', type, payload});
      } catch (error) {
        if (error instanceof RangeError) throw new PaynetError('INVALID_PARAMETER', error.message, {cause: error});
        throw error;
      }
    },
  };
}
