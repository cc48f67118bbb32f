import {type BookKeeper, bookKeeper} from './books.js';
import {type Box, openBox} from './box.js';
import {BoxHost} from './box-host.js';
import {faultsIn, leftIn} from './database.js';
import {crashWords, drawFaults, type Faults, type KillPoint} from './faults.js';
import {Merchant, type ShopOrder} from './merchant.js';
import type {Random} from './random.js';
import {isFinalStatus, linesOf, unsafe, unsettled} from './reconcile.js';
import {type ChaosSite, openChaosSite} from './site.js';
import {pause, until} from './waiting.js';

const NEAR = ['box-1', 'box-2', 'box-3', 'box-4'];
/** In the process that is killed. */
const FAR = ['box-5', 'box-6'];
const BOXES = [...NEAR, ...FAR];

/** An order, and how it is bought. */
interface Purchase {
  order: ShopOrder;
  afterMs: number;
  /** Two equal requests at once. */
  twice: boolean;
  /** Once more after its answer. */
  again: boolean;
  cancel: boolean;
}

export interface TrialResult {
  readonly rounds: number;
  readonly kills: ReadonlyMap<KillPoint, number>;
  readonly boxKills: number;
  readonly figures: Readonly<Record<string, number>>;
  /** What is wrong; empty when nothing was lost or doubled. */
  readonly findings: readonly string[];
}

/** A shop, a server that is killed again and again, boxes and a receiver of webhooks that fail, too. */
export class Trial {
  readonly #random: Random;
  readonly #site: ChaosSite;
  readonly #merchant: Merchant;
  readonly #books: BookKeeper;
  readonly #host: BoxHost;
  readonly #boxes: Box[] = [];
  readonly #kills = new Map<KillPoint, number>();
  #rounds = 0;
  #faults: Faults;
  /** How this life of the server is to end; undefined when it is not to. */
  #armed: KillPoint | undefined;
  #framesToGo = 0;

  private constructor(random: Random, site: ChaosSite, host: BoxHost) {
    this.#random = random;
    this.#site = site;
    this.#merchant = new Merchant(site.api);
    this.#books = bookKeeper(site, this.#merchant, BOXES);
    this.#host = host;
    this.#faults = drawFaults(random);
  }

  static async open(random: Random): Promise<Trial> {
    const site = await openChaosSite();
    const host = new BoxHost(await Promise.all(FAR.map((id) => site.boxOptions(id, 20))));
    const trial = new Trial(random, site, host);
    await trial.#start();
    for (const deviceId of NEAR) trial.#boxes.push(trial.#watched(await openBox(await site.boxOptions(deviceId))));
    await host.start();
    return trial;
  }

  get folder(): string {
    return this.#site.folder;
  }

  /** What goes wrong in the next round. */
  get faults(): Faults {
    return this.#faults;
  }

  /** One round, to the end of its orders. Answers what can be seen to be wrong already. */
  async round(): Promise<string[]> {
    const {sink} = this.#site;
    const faults = this.#faults;
    this.#rounds += 1;
    await sink.be(faults.sink);
    if (faults.boxDiesAt !== undefined) this.#host.dieAtPayment(faults.boxDiesAt);
    const orders = this.#draw();
    const placed = Promise.all(orders.map((purchase) => this.#shop(purchase)));
    // The outcome is awaited below; a failure in between must not go unhandled.
    placed.catch(() => {});
    await Promise.all([this.#killServer(faults), this.#harmBoxes(faults)]);
    const broken = faultsIn(this.#site.storePath);
    // The next round's point is armed now: recovery is hit by it, too.
    this.#faults = drawFaults(this.#random);
    await this.#start(crashWords(this.#faults));
    if (faults.sinkBackEarly) await sink.be('ok');
    const keptUp = this.#keepUp();
    try {
      await placed;
      for (const {order} of orders) await this.#ended(order);
    } finally {
      keptUp.stop();
      await keptUp.done;
    }
    await sink.be('ok');
    return [...broken.map((line) => `database: ${line}`), ...linesOf(unsafe(await this.#books.safety()))];
  }

  /** All faults end: everything must settle now. */
  async finish(): Promise<TrialResult> {
    const {server, sink, storePath} = this.#site;
    await sink.be('ok');
    await server.kill();
    await this.#start();
    let findings: string[] = [];
    const settled = async (): Promise<boolean> => {
      findings = linesOf(unsettled(await this.#books.all()));
      return findings.length === 0;
    };
    // What is not settled then is told below.
    await until('everything is settled', settled, 1000).catch(() => undefined);
    // Later deliveries would be seen here: what has ended stays as it is.
    server.signal('SIGTERM');
    await server.ended();
    const {executions, deliveries} = await this.#books.safety();
    const {commands, events, left} = leftIn(storePath);
    findings.push(...left.map((line) => `left: ${line}`), ...faultsIn(storePath).map((line) => `database: ${line}`));
    findings.push(...this.#merchant.contradictions.map((line) => `contradictions: ${line}`));
    if (sink.refused > 0) findings.push(`events: ${sink.refused} deliveries with a wrong signature`);
    const orders = [...this.#merchant.orders.values()];
    const ids = new Set(deliveries.map(({eventId}) => eventId));
    return {
      rounds: this.#rounds,
      kills: this.#kills,
      boxKills: this.#host.kills,
      figures: {
        orders: orders.length,
        accepted: orders.filter(({answer}) => answer === 'accepted').length,
        refused: orders.filter(({answer}) => answer === 'refused').length,
        cancelled: orders.filter(({cancelled}) => cancelled).length,
        requests: this.#merchant.requests,
        commands,
        executions: executions.size,
        events,
        deliveries: deliveries.length,
        'repeated deliveries': deliveries.length - ids.size,
        lost: findings.filter((line) => line.startsWith('lost')).length,
        doubled: findings.filter((line) => line.startsWith('doubled')).length,
      },
      findings,
    };
  }

  /** `keep`: the folder stays, for whoever looks for what went wrong. */
  async close(keep = false): Promise<void> {
    this.#merchant.close();
    await this.#host.stop();
    await Promise.all(this.#boxes.map((box) => box.stop()));
    await this.#site.close(keep);
  }

  #draw(): Purchase[] {
    const random = this.#random;
    return Array.from({length: random.whole(12, 24)}, (_, index) => ({
      order: {
        orderNo: `r${this.#rounds}-${index}`,
        deviceId: random.pick(BOXES),
        coins: random.whole(1, 3),
        timeoutSeconds: random.chance(0.1) ? 2 : 120,
        ...(random.chance(0.4) && {keepSeconds: random.chance(0.2) ? 2 : 120}),
      },
      afterMs: random.whole(0, 1500),
      twice: random.chance(0.1),
      again: random.chance(0.2),
      cancel: random.chance(0.1),
    }));
  }

  /** Places an order; now and then twice at once, once more, or in vain because it is cancelled. */
  async #shop({order, afterMs, twice, again, cancel}: Purchase): Promise<void> {
    await pause(afterMs);
    await Promise.all([this.#merchant.place(order), twice && this.#merchant.place(order)]);
    if (order.answer !== 'accepted') return;
    if (cancel) await this.#merchant.cancel(order);
    if (again) await this.#merchant.place(order);
  }

  async #killServer({kill, killAfterMs}: Faults): Promise<void> {
    const {server} = this.#site;
    if (kill === 'any moment') {
      await pause(killAfterMs);
      await this.#kill('any moment');
      return;
    }
    // Not every round has so many of each: then any moment is as good.
    await Promise.race([server.ended(), pause(2000 + killAfterMs)]);
    if (server.runs) await this.#kill('any moment');
    else this.#died();
  }

  async #kill(point: KillPoint): Promise<void> {
    this.#armed = point;
    await this.#site.server.kill();
    this.#died();
  }

  #died(): void {
    const point = this.#armed;
    this.#armed = undefined;
    if (point !== undefined) this.#kills.set(point, (this.#kills.get(point) ?? 0) + 1);
  }

  async #harmBoxes({boxKilledAfterMs, lineCuts}: Faults): Promise<void> {
    if (boxKilledAfterMs !== undefined) {
      await pause(boxKilledAfterMs);
      this.#host.kill();
    }
    for (const {box, afterMs} of lineCuts) {
      await pause(afterMs);
      this.#boxes[box % this.#boxes.length]?.client.drop();
    }
  }

  async #start(crashAt?: string): Promise<void> {
    this.#armed = this.#faults.kill === 'any moment' ? undefined : this.#faults.kill;
    this.#framesToGo = this.#faults.kill === 'frame written' ? this.#faults.count : 0;
    if (crashAt === undefined && this.#armed !== 'frame written') this.#armed = undefined;
    if (!(await this.#site.server.start(crashAt))) {
      this.#died();
      // It dies at what its start does, or it cannot start at all.
      if (!(await this.#site.server.start())) throw new Error(`the server does not start: ${this.folder}/server.log`);
    }
  }

  /** Starts a server that has reached its point while a round comes to its end. */
  #keepUp(): {stop(): void; done: Promise<void>} {
    let stopped = false;
    const watch = async (): Promise<void> => {
      while (!stopped) {
        await Promise.race([this.#site.server.ended(), pause(100)]);
        if (this.#site.server.runs || stopped) continue;
        this.#died();
        this.#framesToGo = 0;
        await this.#site.server.start();
      }
    };
    return {
      stop() {
        stopped = true;
      },
      done: watch(),
    };
  }

  #watched(box: Box): Box {
    box.client.on('message', ({direction, name}) => {
      if (direction !== 'received' || name !== 'CoinCommand' || this.#framesToGo === 0) return;
      this.#framesToGo -= 1;
      if (this.#framesToGo === 0) this.#site.server.signal('SIGKILL');
    });
    return box;
  }

  async #ended({orderNo, deviceId, answer}: ShopOrder): Promise<void> {
    if (answer !== 'accepted') return;
    const ended = async (): Promise<boolean> => isFinalStatus(await this.#merchant.status(orderNo));
    await until(`the end of ${orderNo} of ${deviceId}`, ended);
  }
}
