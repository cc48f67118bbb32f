import type {OrderData} from '../lib/client/index.js';
import {localTime} from './local-time.js';
import {type Column, detailsText} from './table.js';

export const ORDER_COLUMNS: Column<OrderData>[] = [
  {head: 'ORDER', value: (order) => order.order_no},
  {head: 'DEVICE', value: (order) => order.device_id},
  {head: 'KIND', value: (order) => order.kind},
  {head: 'STATUS', value: (order) => order.status},
  {head: 'COINS', value: (order) => order.coins, align: 'right'},
  {head: 'PROGRESS', value: (order) => percent(order.progress), align: 'right'},
  {head: 'CREATED', value: (order) => localTime(order.created_at)},
  {head: 'ENDED', value: (order) => localTime(order.ended_at)},
  {head: 'ERROR', value: (order) => order.error},
];

export function orderText(order: OrderData): string {
  return detailsText([
    ['order', order.order_no],
    ['device', order.device_id],
    ['kind', order.kind],
    ['status', order.status],
    ['coins', order.coins],
    ['time limit', order.timeout_seconds === null ? null : `${order.timeout_seconds} s`],
    ['progress', percent(order.progress)],
    ['error', order.error],
    ['attempts', order.attempts],
    ['created', localTime(order.created_at)],
    ['updated', localTime(order.updated_at)],
    ['ended', localTime(order.ended_at)],
  ]);
}

const percent = (progress: number): string => `${progress} %`;
