import {randomUUID} from 'node:crypto';
import {codeOf, messageOf} from '../errors.js';
import type {DeviceCommand, DeviceEvent, Gateway} from '../link/index.js';
import {counter, createTally, type Log, type Metrics, tally} from '../observe/index.js';
import {type ChargeNews, ChargeOrders} from '../orders/index.js';
import {type Dispatcher, type OutboundCommand, type OutboundPort, startDispatcher} from '../outbound/index.js';
import type {Store} from '../store/index.js';

export interface ChargingOptions {
  store: Store;
  gateway: Gateway;
  isOnline(deviceId: string): boolean;
  ackTimedOut(deviceId: string): void;
  metrics: Metrics;
  log: Log;
  tell(news: ChargeNews): void;
}

/** Charging orders and the queue of their commands. */
export interface Charging {
  readonly charges: ChargeOrders;
  /** Undefined before `start`. */
  readonly dispatcher: Dispatcher | undefined;
  /** Takes what happens at a device; a promise holds the device's next message back. */
  happened(event: DeviceEvent): void | Promise<void>;
  start(): void;
  /** Ends the sending of commands: before the connections end, for what is in flight may still be acknowledged. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const OUTCOMES = ['done', 'refused', 'dead', 'expired', 'retry'] as const;
const INCONSISTENCIES = ['invalid_transition', 'unknown_order'];
const MISMATCHES = ['charging_without_order', 'free_while_charging', 'not_charging'];

export function createCharging(options: ChargingOptions): Charging {
  const {store, gateway, isOnline, ackTimedOut, metrics, log, tell} = options;
  const inconsistencies = createTally(INCONSISTENCIES);
  const mismatches = createTally(MISMATCHES);
  const results = createTally(OUTCOMES);
  let timeouts = 0;
  metrics.add([
    tally('order_state_inconsistency_total', 'What devices say that fits no order.', 'type', inconsistencies),
    tally('paynet_port_mismatches_total', 'Ports that are not as their orders are.', 'type', mismatches),
    tally('paynet_outbound_results_total', 'Queued commands by what became of them.', 'result', results),
    counter('outbound_ack_timeout_total', 'Queued commands that were not acknowledged in time.', () => timeouts),
  ]);

  let dispatcher: Dispatcher | undefined;
  const charges = new ChargeOrders({
    store,
    port: {isOnline, supports: (deviceId, kind) => gateway.devices.get(deviceId)?.supports.has(kind) === true},
    wheel: gateway.wheel,
    tell,
    commandStored: (deviceId) => dispatcher?.commandStored(deviceId),
    waitingCommands: () => dispatcher?.waiting ?? 0,
    counters: {inconsistencies, mismatches},
    log,
  });

  const port: OutboundPort = {
    isOnline: (deviceId) => gateway.devices.get(deviceId) !== undefined,
    async send(command) {
      const {deviceId, kind, payload} = command;
      try {
        const answer = await gateway.command(deviceId, {...payload, kind} as DeviceCommand);
        await acknowledged(command, answer !== undefined && 'acknowledged' in answer && answer.charging);
      } catch (error) {
        if (codeOf(error) === 'COMMAND_REFUSED') await refused(command, messageOf(error));
        throw error;
      }
    },
  };

  /** Also when it comes too late for the queue: then the power is on for an order that is over. */
  async function acknowledged({deviceId, orderNo, kind}: OutboundCommand, charging: boolean): Promise<void> {
    if (orderNo === null) return;
    if (kind === 'startCharge') await charges.startAcked(deviceId, orderNo, {success: true, charging, error: ''});
    else if (kind === 'stopCharge') await charges.stopAcked(deviceId, orderNo, {success: true});
  }

  async function refused({deviceId, orderNo, kind}: OutboundCommand, error: string): Promise<void> {
    if (orderNo === null) return;
    if (kind === 'startCharge') await charges.startAcked(deviceId, orderNo, {success: false, charging: false, error});
    else if (kind === 'stopCharge') await charges.stopAcked(deviceId, orderNo, {success: false});
  }

  return {
    charges,
    get dispatcher() {
      return dispatcher;
    },
    happened(event) {
      const {deviceId} = event;
      // Any frame is a sign of life.
      if (event.kind !== 'disconnected') charges.heard(deviceId);
      switch (event.kind) {
        case 'loggedIn':
          charges.online(deviceId);
          dispatcher?.online(deviceId);
          return undefined;
        case 'disconnected':
          charges.offline(deviceId);
          dispatcher?.offline(deviceId);
          return undefined;
        case 'portStatus':
          return charges.portStatus(deviceId, event.port, event.status, event.raw);
        case 'orderProgress':
          return charges.progress(deviceId, event.port, event.orderId, event);
        case 'orderEnded':
          return charges.ended(deviceId, event.port, event.orderId, event);
        default:
          return undefined;
      }
    },
    start() {
      dispatcher = startDispatcher({
        store,
        wheel: gateway.wheel,
        owner: randomUUID(),
        port,
        ended(command, outcome, error = '') {
          if (outcome === 'done') return;
          charges.commandEnded(command, {state: outcome, error}).catch((fault: unknown) => {
            log.warn({err: fault, orderNo: command.orderNo}, 'the end of a command could not be noted');
          });
        },
        ackTimedOut,
        counters: {results, ackTimeouts: {count: () => void timeouts++}},
        log,
      });
      charges.start();
    },
    async drain() {
      await dispatcher?.stop();
    },
    stop: () => charges.stop(),
  };
}
