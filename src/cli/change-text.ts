import type {StreamEvent} from '../lib/client/index.js';
import {localTime} from './local-time.js';
import {type Cell, cellText} from './table.js';

/** Which changes of the live stream; what is not given does not matter. */
export interface Wanted {
  device: string | undefined;
  order: string | undefined;
  /** Of an event. */
  type: string | undefined;
}

/** What was missed concerns everybody. */
export function isWanted({event, data}: StreamEvent, {device, order, type}: Wanted): boolean {
  if (event === 'reset') return true;
  const fields = fieldsOf(data);
  if (device !== undefined && fields.device_id !== device) return false;
  if (order !== undefined && fields.order_no !== order) return false;
  return type === undefined || fields.event_type === type;
}

/** A change on one line: when it came, what it is of, and what is known of it. */
export function changeText({event, data}: StreamEvent, now = new Date()): string {
  const known = Object.entries(fieldsOf(data))
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${cellText(name)}=${cellText(isScalar(value) ? value : JSON.stringify(value))}`);
  return [localTime(now.toISOString()), cellText(event).padEnd(6), ...known].join('  ').trimEnd();
}

const isScalar = (value: unknown): value is Cell => typeof value !== 'object';

function fieldsOf(data: unknown): Record<string, unknown> {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
}
