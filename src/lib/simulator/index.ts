export {describeMessage} from './describe.js';
export {createVirtualDevice, type VirtualDevice, type VirtualDeviceOptions} from './virtual-device.js';
export {
  type ReceivedEvent,
  startWebhookReceiver,
  type WebhookReceiver,
  type WebhookReceiverOptions,
} from './webhook-receiver.js';
