import {Args, Flags} from '@oclif/core';
import {orderText} from '../../cli/order-text.js';
import {ServerCommand} from '../../cli/server-command.js';
import {type OrderData, pathOf} from '../../lib/client/index.js';

export default class OrderCancel extends ServerCommand {
  static override summary = 'Cancel an order of which nothing was sent';

  static override description =
    `What its device has been told cannot be taken back. Needs an API key of the scope write.

Exit codes: 0 done, 1 failed (it is with its device, it is over, there is no such order), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> THD1762863000001 --reason refunded'];

  static override args = {no: Args.string({description: 'Order number', required: true})};

  static override flags = {reason: Flags.string({description: 'Why', helpValue: 'TEXT'})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(OrderCancel);
    const client = await this.client(flags);
    const body = {reason: flags.reason};
    const order = await client.post<OrderData>(pathOf`/api/v1/coin-orders/${args.no}/cancel`, {body});
    this.print(orderText(order));
    return order;
  }
}
