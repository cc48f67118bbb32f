import type {EventData} from '../lib/client/index.js';
import {localTime} from './local-time.js';
import type {Column} from './table.js';

export const EVENT_COLUMNS: Column<EventData>[] = [
  {head: 'EVENT', value: (event) => event.event_id},
  {head: 'TYPE', value: (event) => event.event_type},
  {head: 'DEVICE', value: (event) => event.device_id},
  {head: 'STATUS', value: (event) => event.status},
  {head: 'RETRIES', value: (event) => event.retry_count, align: 'right'},
  {head: 'CREATED', value: (event) => localTime(event.created_at)},
  {head: 'PUSHED', value: (event) => localTime(event.pushed_at)},
  {head: 'ERROR', value: (event) => event.error_message},
];
