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
  /** How long the order waits for a device that is offline; it is refused at once when not given. */
  keepSeconds?: number | undefined;
}

export interface OrderInfo {
  orderNo: string;
  deviceId: string;
  kind: string;
  status: string;
  coins: number | null;
  timeoutSeconds: number | null;
  /** Percent. */
  progress: number;
  error: string | null;
  attempts: number;
  createdAt: number;
  updatedAt: number;
  endedAt: number | null;
}

export interface OrdersPort {
  /** Answers when the order is durable. `same`: it was there already; `conflict`: with another content. */
  createCoin(order: NewCoinOrder): Promise<{outcome: 'created' | 'same' | 'conflict'; order: OrderInfo}>;
  get(orderNo: string): Promise<OrderInfo | undefined>;
  list(filter: Page & {deviceId?: string | undefined; status?: string | undefined}): Promise<Paged<OrderInfo>>;
  cancel(orderNo: string, reason: string): Promise<OrderInfo>;
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

export interface DevicesPort {
  list(filter: {limit: number; offset: number; online?: boolean | undefined}): Promise<Paged<DeviceInfo>>;
  get(deviceId: string): Promise<DeviceInfo | undefined>;
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

/** A command that was given up. */
export interface DeadLetterInfo {
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

export interface QueuePort {
  dead(filter: Page & {deviceId?: string | undefined}): Promise<Paged<DeadLetterInfo>>;
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
