import {Args} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';
import {cellText} from '../../cli/table.js';
import {pathOf} from '../../lib/client/index.js';

export default class OrderStop extends ServerCommand {
  static override summary = 'Stop an order that charges';

  static override description = `The answer says that the device is told; the order ends when it has stopped. Needs an \
API key of the scope write.

Exit codes: 0 done, 1 failed (it does not charge, it is over, there is no such order), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> THD1762863000001'];

  static override args = {no: Args.string({description: 'Order number', required: true})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(OrderStop);
    const client = await this.client(flags);
    const order = await client.post<{status?: string}>(pathOf`/api/v1/third/orders/${args.no}/stop`);
    this.print(`${args.no}  ${cellText(order.status)}`);
    return order;
  }
}
