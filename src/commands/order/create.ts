import {randomUUID} from 'node:crypto';
import {Errors, Flags} from '@oclif/core';
import {followOrder} from '../../cli/follow-order.js';
import {orderText} from '../../cli/order-text.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {createProgressLine} from '../../cli/progress-line.js';
import {ServerCommand} from '../../cli/server-command.js';
import {onInterrupt} from '../../cli/signals.js';
import {cellText} from '../../cli/table.js';
import {CallError, type Client, type OrderData} from '../../lib/client/index.js';
import {parseDuration} from '../../lib/config/index.js';
import {codeOf, ExitCode, UsageError} from '../../lib/errors.js';

const MAX_COINS = 4_294_967_295;
const MAX_SECONDS = 86_400;
/** Beyond the order's own limits, for the server to end it. */
const SPARE_MS = 60_000;
const INTERRUPTED = 130;

export default class OrderCreate extends ServerCommand {
  static override summary = 'Let a device give out coins';

  static override description =
    paragraphs(`The order is stored when this ends, and carried out once, whatever happens to server and device. The
same --order-no with the same content is the same order; without one the request has an idempotency key, and an error
after which nobody knows whether the order was taken says which: run the command again with that key, and it cannot pay
twice. A device that is offline is refused unless --keep is given.

With --wait it follows the order until it has ended; Ctrl-C ends only the following. Needs an API key of the scope
write.

Exit codes: 0 stored (with --wait: the coins are out), 1 failed (with --wait: or the order has ended otherwise), 2 wrong
usage, 130 following was interrupted.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> --device PB-0001 --coins 3',
    {
      description: 'With an order number of your own, to the end',
      command: '<%= config.bin %> <%= command.id %> --device PB-0001 --coins 3 --order-no shop-17 --wait',
    },
    {
      description: 'Wait ten minutes for a device that is offline',
      command: '<%= config.bin %> <%= command.id %> --device PB-0001 --coins 3 --keep 10m --json',
    },
  ];

  static override flags = {
    device: Flags.string({description: 'Device that gives them out', required: true, helpValue: 'ID'}),
    coins: Flags.integer({description: 'How many', required: true, min: 1, max: MAX_COINS, helpValue: 'N'}),
    timeout: Flags.string({description: 'For the whole execution', default: '60s', helpValue: 'TIME'}),
    keep: Flags.string({description: 'How long it may wait for a device that is offline', helpValue: 'TIME'}),
    'order-no': Flags.string({description: 'Number of the order; the server makes one unless given', helpValue: 'NO'}),
    'idempotency-key': Flags.string({
      description: 'The same request under the same key is one order for 24 hours',
      helpValue: 'KEY',
    }),
    wait: Flags.boolean({description: 'Follow it until it has ended'}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(OrderCreate);
    const {device, coins, 'order-no': orderNo, wait} = flags;
    const timeoutSeconds = secondsOf('--timeout', flags.timeout);
    const keepSeconds = flags.keep === undefined ? undefined : secondsOf('--keep', flags.keep);
    const idempotencyKey = flags['idempotency-key'] ?? (orderNo === undefined ? randomUUID() : undefined);
    const body = {
      order_no: orderNo,
      device_id: device,
      coins,
      timeout_seconds: timeoutSeconds,
      keep_seconds: keepSeconds,
    };
    const client = await this.client(flags);
    const order = await client
      .post<OrderData>('/api/v1/coin-orders', {body, idempotencyKey})
      .catch((error: unknown): never => {
        throw explained(error, idempotencyKey);
      });
    const limitMs = (timeoutSeconds + (keepSeconds ?? 0)) * 1000 + SPARE_MS;
    const last = wait ? await this.#follow(client, order, limitMs) : order;
    this.print(orderText(last));
    if (wait && last.status !== 'done') process.exitCode = ExitCode.failed;
    return last;
  }

  async #follow(client: Client, order: OrderData, limitMs: number): Promise<OrderData> {
    const interruption = onInterrupt();
    const line = createProgressLine(this.jsonEnabled());
    try {
      return await followOrder(client, order, {
        limitMs,
        signal: interruption.signal,
        changed: ({order_no, status, progress}) => line.show(cellText(`${order_no}  ${status}  ${progress} %`)),
      });
    } catch (error) {
      if (codeOf(error) !== 'FOLLOW_ENDED') throw error;
      line.end();
      this.talk(`The order goes on: paynetctl order show ${cellText(order.order_no)}`);
      throw new Errors.ExitError(INTERRUPTED);
    } finally {
      line.end();
      interruption.release();
    }
  }
}

function secondsOf(flag: string, text: string): number {
  const seconds = parseDuration(text) / 1000;
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new UsageError(`${flag} must be whole seconds, from 1s to 24h.`);
}

/** What to do after an error, in the words of this command. */
function explained(error: unknown, key: string | undefined): unknown {
  if (!(error instanceof CallError)) return error;
  const {code, message, ...rest} = error;
  if (code === 'DEVICE_OFFLINE') {
    return new CallError(code, message, {...rest, hint: 'With --keep 10m the order waits for the device.'});
  }
  if (!error.isUncertain) return error;
  const again = key === undefined ? 'with the same --order-no' : `with --idempotency-key ${key}`;
  const hint = `The order may have been taken. Run the same command again ${again}: it is one order.`;
  return new CallError(code, message, {...rest, hint, cause: error});
}
