import {onTestFinished} from 'vitest';
import {type BookKeeper, bookKeeper} from './books.js';
import {type Box, openBox} from './box.js';
import {faultsIn} from './database.js';
import {Merchant, type ShopOrder} from './merchant.js';
import {linesOf, unsettled} from './reconcile.js';
import {type ChaosSite, type ChaosSiteOptions, openChaosSite} from './site.js';
import {until} from './waiting.js';

/** A site with its server running, boxes and a merchant, for one test. */
export interface Shop {
  readonly site: ChaosSite;
  readonly merchant: Merchant;
  readonly books: BookKeeper;
  readonly boxes: readonly Box[];
  /** An order that was not placed yet. */
  order(orderNo: string, deviceId: string, more?: Partial<ShopOrder>): ShopOrder;
  /** Resolves when nothing is lost, doubled or missing; rejects with what is. */
  settled(): Promise<void>;
}

export interface ShopOptions extends ChaosSiteOptions {
  /** Boxes that are online, and those that are known and come later or not at all. */
  boxIds?: readonly string[];
  laterIds?: readonly string[];
  coinMs?: number;
}

export async function openShop({boxIds = [], laterIds = [], coinMs, ...options}: ShopOptions = {}): Promise<Shop> {
  const site = await openChaosSite(options);
  onTestFinished(() => site.close());
  const merchant = new Merchant(site.api);
  onTestFinished(() => merchant.close());
  if (!(await site.server.start())) throw new Error('the server does not start');
  const boxes: Box[] = [];
  for (const deviceId of boxIds) {
    const box = await openBox(await site.boxOptions(deviceId, coinMs));
    onTestFinished(() => box.stop());
    boxes.push(box);
  }
  const books = bookKeeper(site, merchant, [...boxIds, ...laterIds]);
  return {
    site,
    merchant,
    books,
    boxes,
    order: (orderNo, deviceId, more) => ({orderNo, deviceId, coins: 1, timeoutSeconds: 600, ...more}),
    async settled() {
      let findings: string[] = [];
      const look = async (): Promise<boolean> => {
        findings = linesOf(unsettled(await books.all()));
        return findings.length === 0;
      };
      await until('everything is settled', look, 500).catch((cause: unknown) => {
        throw new Error(findings.join('\n'), {cause});
      });
      const wrong = [...merchant.contradictions, ...faultsIn(site.storePath)];
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    },
  };
}
