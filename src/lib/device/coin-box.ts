import {messageOf, PaynetError} from '../errors.js';
import {
  CoinAck,
  type CoinCommand,
  CoinState,
  type HandlerContext,
  type MessageDefinition,
  type QueryReq,
  type QueryRsp,
} from '../registry/index.js';
import type {SessionLog} from '../session/index.js';
import type {Ledger} from './ledger.js';
import {ExecutedOrders} from './once.js';

/** What the coin box needs of its client. */
export interface CoinBoxUser {
  readonly log: SessionLog;
  /** From then on no order is begun. */
  readonly stopping: AbortSignal;
  /** Sends an ack; false while offline. */
  deliver(ack: CoinAck): boolean;
  context(): HandlerContext;
}

/** A client's coin orders: commands in, each executed once, and acks out, kept while offline. */
export class CoinBox {
  readonly #orders: ExecutedOrders;
  readonly #user: CoinBoxUser;
  /** The newest ack of each order that could not be sent. */
  readonly #unsent = new Map<string, CoinAck>();
  #last: CoinAck | undefined;

  constructor(ledger: Ledger, user: CoinBoxUser) {
    this.#orders = new ExecutedOrders(ledger);
    this.#user = user;
  }

  /** Ends the orders that a restart interrupted. Rejects with what the ledger rejects with. */
  async recover(): Promise<void> {
    for (const ack of await this.#orders.recover()) this.#unsent.set(ack.orderId, ack);
  }

  /** Begins an order that is new, and answers any other with the state it has. Rejects with Refusal. */
  async command(definition: MessageDefinition, command: CoinCommand): Promise<void> {
    const decision = await this.#orders.decide(command);
    if (!decision.execute) {
      this.#transmit(decision.ack);
      return;
    }
    // Stored, but not begun: the next start tells the server that it was interrupted.
    if (this.#user.stopping.aborted) return;
    this.#transmit(CoinAck.create({orderId: command.orderId}));
    // Not awaited: while coins drop, questions and heartbeats go on.
    void this.#execute(definition, command);
  }

  /** Stores an ack, then sends it, now or after the next login. Rejects with LEDGER_FAILED or a RangeError. */
  async send(ack: CoinAck): Promise<void> {
    const noted = await this.#orders.note(ack);
    if (noted !== undefined) this.#transmit(noted);
    else this.#user.log.warn({orderId: ack.orderId}, 'an ack contradicts the final state of its order and is not sent');
  }

  answer(question: QueryReq): Promise<QueryRsp> {
    return this.#orders.answer(question);
  }

  /** After a login: sends what could not be sent before. */
  sendUnsent(): void {
    const acks = [...this.#unsent.values()];
    this.#unsent.clear();
    for (const ack of acks) {
      try {
        this.#transmit(ack);
      } catch (error) {
        // One that does not fit into a frame must not hold up the others.
        this.#user.log.error({orderId: ack.orderId, err: error}, 'an ack cannot be sent');
      }
    }
  }

  /** The server has the last ack's order already: says once more, and only once, what became of it. */
  repeatLast(): void {
    const ack = this.#last;
    if (ack === undefined) return;
    this.#transmit(ack);
    this.#last = undefined;
  }

  async #execute(definition: MessageDefinition, command: CoinCommand): Promise<void> {
    const {orderId} = command;
    const {log} = this.#user;
    try {
      if (definition.handler === undefined) throw new PaynetError('NO_HANDLER', 'this device has no coin handler');
      await definition.handler(this.#user.context(), command);
    } catch (error) {
      log.error({orderId, err: error}, 'a coin command failed');
      const failed = CoinAck.create({orderId, state: CoinState.COIN_FAILED, error: messageOf(error)});
      await this.send(failed).catch((cause) => log.error({orderId, err: cause}, 'an ack was not stored'));
    }
  }

  #transmit(ack: CoinAck): void {
    this.#last = ack;
    if (!this.#user.deliver(ack)) this.#unsent.set(ack.orderId, ack);
  }
}
