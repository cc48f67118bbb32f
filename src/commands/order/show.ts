import {Args, Flags} from '@oclif/core';
import {EVENT_COLUMNS} from '../../cli/event-text.js';
import {orderText} from '../../cli/order-text.js';
import {ServerCommand} from '../../cli/server-command.js';
import {tableText} from '../../cli/table.js';
import {type EventData, type OrderData, pathOf} from '../../lib/client/index.js';

export default class OrderShow extends ServerCommand {
  static override summary = 'Show an order';

  static override description = `With --events also what webhooks told of it; --json then prints {order, events}. \
Needs an API key of the scope read.

Exit codes: 0 done, 1 failed (there is no such order), 2 wrong usage.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %> THD1762863000001',
    '<%= config.bin %> <%= command.id %> THD1762863000001 --events --json',
  ];

  static override args = {no: Args.string({description: 'Order number', required: true})};

  static override flags = {events: Flags.boolean({description: 'Show its events, too'})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(OrderShow);
    const client = await this.client(flags);
    const order = await client.get<OrderData>(pathOf`/api/v1/coin-orders/${args.no}`);
    this.print(orderText(order));
    if (!flags.events) return order;
    const data = await client.get<Record<string, unknown>>(pathOf`/api/v1/coin-orders/${args.no}/events`);
    const events = this.entries<EventData>(data, 'events');
    this.print();
    if (events.length > 0) this.print(tableText(EVENT_COLUMNS, events));
    this.tellCount(events.length, 'events', undefined);
    return {order, events};
  }
}
