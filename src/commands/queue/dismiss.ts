import {Args, Flags} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';
import {pathOf} from '../../lib/client/index.js';

export default class QueueDismiss extends ServerCommand {
  static override summary = 'Give a command up for good';

  static override description = `It is not asked again whether that is meant. Needs an API key of the scope admin.

Exit codes: 0 done, 1 failed (it is not among the dead letters), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> c-17 --reason "the device was scrapped"'];

  static override args = {id: Args.string({description: 'Id of the command', required: true})};

  static override flags = {reason: Flags.string({description: 'Why', required: true, helpValue: 'TEXT'})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(QueueDismiss);
    const client = await this.client(flags);
    const body = {reason: flags.reason};
    const data = await client.post(pathOf`/api/v1/dead-letters/${args.id}/dismiss`, {body});
    this.talk(`Command ${args.id} is given up.`);
    return data;
  }
}
