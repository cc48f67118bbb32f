import type {DeviceInfo, DevicesPort} from '../../api/index.js';
import {PaynetError} from '../../errors.js';
import type {Gateway} from '../../link/index.js';
import {printable} from '../../observe/index.js';
import type {Store} from '../../store/index.js';

/** Devices as the HTTP interface has them. */
export function devicesPort({gateway}: {store: Store; gateway: Gateway}): DevicesPort {
  function info(deviceId: string): DeviceInfo | undefined {
    const driver = gateway.devices.get(deviceId);
    if (driver === undefined) return undefined;
    return {
      deviceId,
      online: true,
      score: null,
      protocol: driver.protocol,
      model: null,
      firmware: null,
      registeredAt: 0,
      lastSeenAt: 0,
    };
  }
  return {
    async list() {
      const items = [...gateway.devices.values()].flatMap(({deviceId}) => info(deviceId) ?? []);
      return {items, total: items.length};
    },
    async get(deviceId) {
      return info(deviceId);
    },
    async kick(deviceId, reason) {
      if (!gateway.kick(deviceId, reason === '' ? undefined : printable(reason))) throw offline(deviceId);
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

const offline = (deviceId: string): PaynetError =>
  new PaynetError('DEVICE_OFFLINE', `the device ${printable(deviceId)} is not online`);
