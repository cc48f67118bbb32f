import {Flags} from '@oclif/core';
import {limitFlag} from '../../cli/list-flags.js';
import {localTime} from '../../cli/local-time.js';
import {ServerCommand} from '../../cli/server-command.js';
import {type Column, tableText} from '../../cli/table.js';
import type {DiscrepancyData} from '../../lib/client/index.js';

const COLUMNS: Column<DiscrepancyData>[] = [
  {head: 'ID', value: (entry) => entry.id, align: 'right'},
  {head: 'ORDER', value: (entry) => entry.order_no},
  {head: 'DEVICE', value: (entry) => entry.device_id},
  {head: 'ORDER IS', value: (entry) => entry.order_status},
  {head: 'DEVICE SAYS', value: (entry) => JSON.stringify(entry.reported)},
  {head: 'SINCE', value: (entry) => localTime(entry.created_at)},
  {head: 'RESOLVED', value: (entry) => localTime(entry.resolved_at)},
  {head: 'HOW', value: (entry) => entry.resolution},
];

export default class OrderDiscrepancies extends ServerCommand {
  static override summary = 'List what devices report against the state of their orders';

  static override description = `Coins may really be out: each is to be settled by a person, who says so with \
order resolve. Needs an API key of the scope read.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> --open'];

  static override flags = {
    open: Flags.boolean({description: 'Only those that are not settled', exclusive: ['resolved']}),
    resolved: Flags.boolean({description: 'Only those that are'}),
    limit: limitFlag(100),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(OrderDiscrepancies);
    const client = await this.client(flags);
    const resolved = flags.resolved ? true : flags.open ? false : undefined;
    const query = {resolved, page_size: flags.limit};
    const data = await client.get<Record<string, unknown>>('/api/v1/discrepancies', query);
    const found = this.entries<DiscrepancyData>(data, 'discrepancies');
    if (found.length > 0) this.print(tableText(COLUMNS, found));
    this.tellCount(found.length, 'discrepancies', data.total);
    return data;
  }
}
