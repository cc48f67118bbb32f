import type {DevicesPort} from '../../api/index.js';
import {PaynetError} from '../../errors.js';
import type {Gateway} from '../../link/index.js';
import {printable} from '../../observe/index.js';
import {openOrdersOfDevice, portsOfDevice} from '../../orders/index.js';
import type {Store} from '../../store/index.js';
import type {Business} from '../business.js';
import {openOrderInfo} from './order-info.js';

export interface DevicesPortOptions {
  store: Store;
  gateway: Gateway;
  business: Business;
}

/** Devices as the HTTP interface has them. */
export function devicesPort({store, gateway, business}: DevicesPortOptions): DevicesPort {
  const {devices} = business;
  return {
    list: (filter) => devices.list(filter),
    async get(deviceId) {
      const device = await devices.get(deviceId);
      if (device === undefined) return undefined;
      // What is connected says whether it has ports; of what is not, the store knows.
      const hasPorts = gateway.devices.get(deviceId)?.supports.has('startCharge') ?? true;
      const [ports, active] = await Promise.all([
        hasPorts ? store.read(portsOfDevice, {deviceId}) : [],
        store.read(openOrdersOfDevice, {deviceId}),
      ]);
      return {
        ...device,
        ports: ports.map(({port_no: portNo, status, power_w: powerW}) => ({portNo, status, powerW})),
        activeOrders: await Promise.all(active.map((row) => openOrderInfo(business, row))),
      };
    },
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
