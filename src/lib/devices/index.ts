/** What the server knows of its devices: who they are, when they were last heard, whether they are online. */
export {createDevices, type Devices, type DevicesOptions, type Registration} from './devices.js';
export type {DeviceInfo, DeviceListing} from './listing.js';
export type {OnlineDevice, OnlineTable} from './online.js';

/** What a store must load for these operations. */
export const DEVICE_OPERATIONS = new URL('./operations.js', import.meta.url);
