import {Args} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';
import {pathOf} from '../../lib/client/index.js';

export default class QueueRetry extends ServerCommand {
  static override summary = 'Queue a command that was given up once more';

  static override description = `Needs an API key of the scope admin.

Exit codes: 0 queued, 1 failed (it is not among the dead letters), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> c-17'];

  static override args = {id: Args.string({description: 'Id of the command', required: true})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(QueueRetry);
    const client = await this.client(flags);
    const data = await client.post(pathOf`/api/v1/dead-letters/${args.id}/retry`);
    this.talk(`Command ${args.id} is queued once more.`);
    return data;
  }
}
