/**
 * What the routes need of the rest of the server: literal objects will do. Times are UTC milliseconds. A port refuses
 * with a PaynetError whose code is one of `API_ERRORS` (ORDER_NOT_FOUND, DEVICE_OFFLINE, …); anything else is INTERNAL.
 */
export interface ApiPorts {
  orders: OrdersPort;
  devices: DevicesPort;
  events: EventsPort;
  queue: QueuePort;
  /** Figures of this moment, by name. */
  stats(): Promise<Figures>;
  /** Calls back, in order, after each change was made durable, until the returned function is called. */
  subscribe(changed: (change: Change) => void): () => void;
}

export interface Figures {
  readonly [name: string]: number | string | Figures;
}

export interface Page {
  /** From 1. */
  page: number;
  pageSize: number;
}

export interface Paged<T> {
  items: readonly T[];
  total: number;
}

export interface NewCoinOrder {
  /** At most 32 characters; the same number is the same order, for ever. */
  orderNo: string;
  deviceId: string;
  coins: number;
  timeoutSeconds: number;
  /** How long the order waits for a device that is offline: 0 refuses it at once; without it the server's default. */
  keepSeconds?: number | undefined;
}

/** What is charged: seconds, watt-hours, or up to five tiers of power; `full` ends when the device thinks so. */
export type ChargeMode =
  | {by: 'time'; seconds: number}
  | {by: 'energy'; wattHours: number}
  | {by: 'power'; tiers: readonly {watts: number; cents: number; seconds: number}[]}
  | {by: 'full'};

export interface NewChargeOrder {
  /** At most 32 characters; the same number is the same order, for ever. */
  orderNo: string;
  deviceId: string;
  /** From 1. */
  portNo: number;
  mode: ChargeMode;
  /** What was paid. */
  amountCent: number;
  pricePerKwhCent?: number | undefined;
  serviceFeePermille?: number | undefined;
}

/** An order of either kind; what its kind does not know is null. */
export interface OrderInfo {
  orderNo: string;
  deviceId: string;
  kind: 'coin' | 'charge';
  status: string;
  /** The number of a charging order's status. */
  statusCode: number | null;
  portNo: number | null;
  /** 1 time, 2 energy, 3 power, 4 full. */
  chargeMode: number | null;
  amountCent: number | null;
  coins: number | null;
  timeoutSeconds: number | null;
  /** Percent; of a coin order. */
  progress: number | null;
  /** As far as the device has told. */
  energyWh: number | null;
  durationSeconds: number | null;
  error: string | null;
  /** What ended it, for a machine. */
  endReason: string | null;
  /** How often its command was written to the device; of a coin order. */
  attempts: number | null;
  createdAt: number;
  /** When its command was written to the device; of a coin order. */
  sentAt: number | null;
  /** When the device began. */
  startedAt: number | null;
  updatedAt: number;
  endedAt: number | null;
}

/** `same`: it was there already; `conflict`: with another content. */
export interface MadeOrder {
  outcome: 'created' | 'same' | 'conflict';
  order: OrderInfo;
}

/** An order after a request to end it, and what its status was before. */
export interface EndingOrder {
  order: OrderInfo;
  oldStatus: string;
}

export interface OrderFilter extends Page {
  kind?: OrderInfo['kind'] | undefined;
  deviceId?: string | undefined;
  status?: string | undefined;
}

export interface OrdersPort {
  /** Answers when the order is durable. */
  createCoin(order: NewCoinOrder): Promise<MadeOrder>;
  /** Answers when the order is durable; `online`: whether its device is connected now. */
  createCharge(order: NewChargeOrder): Promise<MadeOrder & {online: boolean}>;
  get(orderNo: string): Promise<OrderInfo | undefined>;
  list(filter: OrderFilter): Promise<Paged<OrderInfo>>;
  /** Of either kind. One that is ending already is answered as it is. @throws ORDER_SENT, ORDER_IS_CHARGING, … */
  cancel(orderNo: string, reason: string): Promise<EndingOrder>;
  /** Of a charging order. One that is ending already is answered as it is. */
  stop(orderNo: string): Promise<EndingOrder>;
  /** The order that holds a port; `orderNo`: which it must be. @throws ORDER_NOT_FOUND, PORT_STATE_MISMATCH */
  stopPort(deviceId: string, portNo: number, orderNo?: string): Promise<EndingOrder>;
  discrepancies(filter: Page & {resolved?: boolean | undefined}): Promise<Paged<DiscrepancyInfo>>;
  resolveDiscrepancy(id: number, text: string): Promise<DiscrepancyInfo>;
}

/** A device reports of an order what contradicts its state: coins may really be out. */
export interface DiscrepancyInfo {
  id: number;
  orderNo: string;
  deviceId: string;
  orderStatus: string;
  reported: unknown;
  createdAt: number;
  resolvedAt: number | null;
  resolution: string | null;
}

export interface DeviceInfo {
  deviceId: string;
  online: boolean;
  /** 0 to 100; null when it has none. */
  score: number | null;
  protocol: string;
  model: string | null;
  firmware: string | null;
  registeredAt: number;
  lastSeenAt: number;
}

export interface PortInfo {
  /** From 1. */
  portNo: number;
  /** 0 free, 1 occupied, 2 charging, 3 fault. */
  status: number;
  powerW: number | null;
}

export interface DeviceDetails extends DeviceInfo {
  /** By their numbers; empty where the device has none. */
  ports: readonly PortInfo[];
  /** Of either kind, the newest first; a bounded number. */
  activeOrders: readonly OrderInfo[];
}

export interface DevicesPort {
  list(filter: {limit: number; offset: number; online?: boolean | undefined}): Promise<Paged<DeviceInfo>>;
  get(deviceId: string): Promise<DeviceDetails | undefined>;
  /** Closes its connection. */
  kick(deviceId: string, reason: string): Promise<void>;
  /** Writes one message of the device's protocol, unchecked. */
  send(deviceId: string, message: {type: number; payload: Uint8Array}): Promise<void>;
}

export interface EventInfo {
  eventId: string;
  eventType: string;
  orderNo: string | null;
  deviceId: string;
  sequenceNo: number | null;
  status: 'waiting' | 'pushed' | 'dead';
  retryCount: number;
  createdAt: number;
  pushedAt: number | null;
  errorMessage: string | null;
  data: unknown;
}

export interface EventsPort {
  /** In the order of their numbers; empty for an order that is not known. */
  ofOrder(orderNo: string): Promise<readonly EventInfo[]>;
  list(
    filter: Page & {deviceId?: string | undefined; status?: string | undefined; eventType?: string | undefined},
  ): Promise<Paged<EventInfo>>;
  /** Queues them for delivery once more, all or none. */
  replay(eventIds: readonly string[]): Promise<void>;
}

export interface CommandInfo {
  id: string;
  deviceId: string;
  orderNo: string | null;
  kind: string;
  status: string;
  attempts: number;
  lastError: string | null;
  createdAt: number;
  updatedAt: number;
}

/** A command that waits or was sent. */
export interface WaitingCommandInfo extends CommandInfo {
  /** The lower, the sooner. */
  priority: number;
  /** When it is given up; null when never. */
  expiresAt: number | null;
}

export interface QueuePort {
  /** Commands that wait or were sent and are not yet answered. */
  waiting(filter: Page & {deviceId?: string | undefined}): Promise<Paged<WaitingCommandInfo>>;
  /** Commands that were given up. */
  dead(filter: Page & {deviceId?: string | undefined}): Promise<Paged<CommandInfo>>;
  retry(id: string): Promise<void>;
  dismiss(id: string, reason: string): Promise<void>;
  /** Removes those that are settled and old; answers how many. */
  clean(): Promise<number>;
}

export interface Change {
  kind: 'device' | 'order' | 'event';
  /** Plain data, in the words of the program; the stream writes it like an answer. */
  data: object;
}
