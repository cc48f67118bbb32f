import {type DiscrepancyRow, defineListing, type OrderKind, type OrderRow} from '../store/index.js';

export interface OrderFilter {
  readonly deviceId?: string | undefined;
  readonly state?: string | undefined;
  readonly kind?: OrderKind | undefined;
  /** Any number: those that have not ended. */
  readonly open?: number | undefined;
}

export interface DiscrepancyFilter {
  /** Any number: those that nobody has settled. */
  readonly open?: number | undefined;
  /** Any number: those that somebody has settled. */
  readonly settled?: number | undefined;
}

/** Orders of both kinds, the latest first. A rare state takes longer than a common one. */
export const orderListing = defineListing<OrderFilter, OrderRow>((db, given, p) => {
  let query = db.selectFrom('orders').selectAll();
  if (given.deviceId) query = query.where('device_id', '=', p.deviceId);
  if (given.state) query = query.where('state', '=', p.state);
  if (given.kind) query = query.where('kind', '=', p.kind);
  if (given.open) query = query.where('due_at', 'is not', null);
  return query.orderBy('created_at', 'desc').orderBy('order_no', 'desc');
});

/** What orders and devices disagree about, the latest first. */
export const discrepancyListing = defineListing<DiscrepancyFilter, DiscrepancyRow>((db, given) => {
  let query = db.selectFrom('discrepancies').selectAll();
  if (given.open) query = query.where('resolved_at', 'is', null);
  if (given.settled) query = query.where('resolved_at', 'is not', null);
  return query.orderBy('id', 'desc');
});
