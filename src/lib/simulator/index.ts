export {describeMessage} from './describe.js';
export {createVirtualDevice, type VirtualDevice, type VirtualDeviceOptions} from './virtual-device.js';
