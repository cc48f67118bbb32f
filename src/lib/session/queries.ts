import {PaynetError} from '../errors.js';
import {type QueryRsp, ResultCode} from '../registry/index.js';
import {Alarm, type DeadlineWheel} from './wheel.js';

interface Question {
  orderId: string;
  alarm: Alarm;
  resolve(answer: QueryRsp): void;
  reject(error: Error): void;
}

/**
 * The questions about orders that this side has asked on a connection and that are not answered yet. They decide what
 * a 0x05 is: the answer to one of them, or a question of the other side's (paynet.md, Types).
 */
export class Queries {
  readonly #wheel: DeadlineWheel;
  // Answers come in the order of the questions; there are hardly ever more than a few.
  #open: Question[] = [];

  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
  }

  isAsked(orderId: string): boolean {
    return this.#open.some((question) => question.orderId === orderId);
  }

  /** Waits `timeoutMs` for the answer; rejects with QUERY_TIMEOUT, or CONNECTION_CLOSED when the connection ends. */
  ask(orderId: string, timeoutMs: number): Promise<QueryRsp> {
    return new Promise((resolve, reject) => {
      const alarm = new Alarm(() => {
        this.#open = this.#open.filter((open) => open !== question);
        reject(new PaynetError('QUERY_TIMEOUT', `no answer about order ${orderId} within ${timeoutMs} ms`));
      });
      const question: Question = {orderId, alarm, resolve, reject};
      this.#open.push(question);
      this.#wheel.schedule(alarm, timeoutMs);
    });
  }

  /** Gives an answer to whom it was asked by; false when nobody asked. */
  answer(answer: QueryRsp): boolean {
    const at = this.#open.findIndex((question) => question.orderId === answer.orderId);
    if (at < 0) return false;
    this.#take(at).resolve(answer);
    return true;
  }

  /** Older peers answer an unknown order with an ErrorMsg, which names no order: it is taken for the oldest question. */
  answerUnknown(): boolean {
    if (this.#open.length === 0) return false;
    const question = this.#take(0);
    question.resolve({
      $type: 'paybox.QueryRsp',
      orderId: question.orderId,
      state: 0,
      progress: 0,
      error: '',
      code: ResultCode.ORDER_NOT_FOUND,
    });
    return true;
  }

  close(): void {
    while (this.#open.length > 0) {
      const question = this.#take(0);
      question.reject(
        new PaynetError('CONNECTION_CLOSED', `the connection ended before order ${question.orderId} was answered`),
      );
    }
  }

  #take(at: number): Question {
    const [question] = this.#open.splice(at, 1);
    this.#wheel.cancel(question!.alarm);
    return question!;
  }
}
