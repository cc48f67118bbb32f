import {Flags} from '@oclif/core';
import {deviceFlag, limitFlag} from '../../cli/list-flags.js';
import {ORDER_COLUMNS} from '../../cli/order-text.js';
import {ServerCommand} from '../../cli/server-command.js';
import {tableText} from '../../cli/table.js';
import type {OrderData} from '../../lib/client/index.js';

export default class OrderList extends ServerCommand {
  static override summary = 'List orders, the newest first';

  static override description = `Needs an API key of the scope read.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --device PB-0001 --status failed --limit 100 --page 2 --json',
  ];

  static override flags = {
    device: deviceFlag,
    status: Flags.string({description: 'Only those in this state: created, sent, done, …', helpValue: 'STATUS'}),
    limit: limitFlag(100),
    page: Flags.integer({description: 'Which page of so many', default: 1, min: 1, max: 1_000_000, helpValue: 'N'}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(OrderList);
    const client = await this.client(flags);
    const {device, status, limit, page} = flags;
    const query = {device_id: device, status, page_size: limit, page};
    const data = await client.get<Record<string, unknown>>('/api/v1/coin-orders', query);
    const orders = this.entries<OrderData>(data, 'orders');
    if (orders.length > 0) this.print(tableText(ORDER_COLUMNS, orders));
    this.tellCount(orders.length, 'orders', data.total);
    return data;
  }
}
