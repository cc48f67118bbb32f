import type {Execution} from './executions.js';
import type {ShopOrder} from './merchant.js';
import type {DeliveredEvent} from './sink.js';

/** Everything that everybody knows. */
export interface Books {
  readonly orders: ReadonlyMap<string, ShopOrder>;
  /** What the server says of each order. */
  readonly statuses: ReadonlyMap<string, string | undefined>;
  readonly discrepancies: ReadonlySet<string>;
  readonly executions: ReadonlyMap<string, Execution>;
  /** The end that a box remembers. */
  readonly ledgers: ReadonlyMap<string, 'done' | 'failed' | 'open'>;
  readonly deliveries: readonly DeliveredEvent[];
}

/** What needs no server to be read. */
export type Safety = Omit<Books, 'statuses' | 'discrepancies'>;

/** What is wrong, by kind; each line names the order. */
export interface Findings {
  readonly lost: string[];
  readonly doubled: string[];
  readonly neverOrdered: string[];
  readonly events: string[];
  readonly contradictions: string[];
}

const FINAL = new Set(['done', 'failed', 'timeout', 'cancelled']);
export const isFinalStatus = (status: string | undefined): boolean => status !== undefined && FINAL.has(status);

/** What may never be, at no moment: it needs no waiting. */
export function unsafe({orders, executions, deliveries}: Safety): Findings {
  const found: Findings = {lost: [], doubled: [], neverOrdered: [], events: [], contradictions: []};
  for (const [orderNo, {started, coins}] of executions) {
    const order = orders.get(orderNo);
    if (order === undefined) found.neverOrdered.push(`${orderNo}: executed, and nobody ordered it`);
    else if (order.answer === 'refused') found.neverOrdered.push(`${orderNo}: executed, and refused as ${order.code}`);
    else if (order.cancelled) found.neverOrdered.push(`${orderNo}: executed, and cancelled`);
    if (started > 1 || coins > (order?.coins ?? 0))
      found.doubled.push(`${orderNo}: begun ${started} times, ${coins} coins`);
  }
  const heard = new Map<string, number>();
  for (const {orderNo, sequence = 0, accepted, type} of deliveries) {
    if (orderNo === undefined) continue;
    const order = orders.get(orderNo);
    if (order === undefined || order.answer === 'refused')
      found.events.push(`${orderNo}: ${type}, and nobody ordered it`);
    const known = heard.get(orderNo) ?? 0;
    if (sequence > known + 1) found.events.push(`${orderNo}: number ${sequence} came after ${known}`);
    if (accepted) heard.set(orderNo, Math.max(known, sequence));
  }
  return found;
}

/** What must be when all faults are over and everybody had time. */
export function unsettled(books: Books): Findings {
  const found = unsafe(books);
  const {orders, statuses, discrepancies, executions, ledgers, deliveries} = books;
  const events = eventsByOrder(deliveries);
  for (const [orderNo, order] of orders) {
    const status = statuses.get(orderNo);
    const execution = executions.get(orderNo) ?? {started: 0, coins: 0, ended: 0};
    if (order.answer !== 'accepted') {
      if (status !== undefined) found.contradictions.push(`${orderNo}: refused as ${order.code}, and is ${status}`);
      continue;
    }
    if (!isFinalStatus(status)) {
      found.lost.push(`${orderNo}: accepted, and is ${status}`);
      continue;
    }
    if (status === 'done' && (execution.started !== 1 || execution.ended !== 1 || execution.coins !== order.coins)) {
      found.lost.push(`${orderNo}: done, and ${execution.coins} of ${order.coins} coins are out`);
    }
    if (order.cancelled === true && status !== 'cancelled') {
      found.contradictions.push(`${orderNo}: was cancelled, and is ${status}`);
    }
    const ledger = ledgers.get(orderNo);
    if (ledger === 'done' && status !== 'done' && !discrepancies.has(orderNo)) {
      found.lost.push(`${orderNo}: paid out, ${status}, and nobody is told of the difference`);
    }
    if (ledger === 'open') found.lost.push(`${orderNo}: its box has not ended it`);
    const story = events.get(orderNo) ?? [];
    const ends = story.filter(({status: said, type}) => isFinalStatus(said) && type !== 'order.discrepancy');
    if (ends.length !== 1 || ends[0]?.status !== status) {
      found.lost.push(
        `${orderNo}: ${status}, and its events tell ${story.map(({type}) => type).join(', ') || 'nothing'}`,
      );
    }
    if (discrepancies.has(orderNo) !== story.some(({type}) => type === 'order.discrepancy')) {
      found.lost.push(`${orderNo}: of its discrepancy only one of list and webhook knows`);
    }
  }
  return found;
}

/** Each event once, as they were accepted. */
function eventsByOrder(deliveries: readonly DeliveredEvent[]): Map<string, DeliveredEvent[]> {
  const seen = new Set<string>();
  const events = new Map<string, DeliveredEvent[]>();
  for (const event of deliveries) {
    const {eventId, orderNo, accepted} = event;
    if (!accepted || orderNo === undefined || seen.has(eventId)) continue;
    seen.add(eventId);
    const story = events.get(orderNo) ?? [];
    events.set(orderNo, story);
    story.push(event);
  }
  return events;
}

export const linesOf = (findings: Findings): string[] =>
  Object.entries(findings).flatMap(([kind, lines]: [string, string[]]) => lines.map((line) => `${kind}: ${line}`));
