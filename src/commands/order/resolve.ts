import {Args, Flags} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';
import {type DiscrepancyData, pathOf} from '../../lib/client/index.js';

export default class OrderResolve extends ServerCommand {
  static override summary = 'Note how a discrepancy was settled';

  static override description = `The order itself stays as it is. Needs an API key of the scope admin.

Exit codes: 0 done, 1 failed (there is no such discrepancy), 2 wrong usage.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %> 17 --text "three coins were out; refund taken back"',
  ];

  static override args = {id: Args.string({description: 'Number of the discrepancy', required: true})};

  static override flags = {text: Flags.string({description: 'How', required: true, helpValue: 'TEXT'})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(OrderResolve);
    const client = await this.client(flags);
    const body = {text: flags.text};
    const data = await client.post<DiscrepancyData>(pathOf`/api/v1/discrepancies/${args.id}/resolve`, {body});
    this.talk(`Discrepancy ${args.id} is settled.`);
    return data;
  }
}
