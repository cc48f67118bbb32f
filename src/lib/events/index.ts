/** What is told to the merchant: the outbox that is written with every change, signed webhooks, replay. */
export {appendDeviceEvent, appendEvent, type DeviceEvent, type OrderEvent} from './outbox.js';
