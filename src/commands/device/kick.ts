import {Args, Flags} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';
import {pathOf} from '../../lib/client/index.js';

export default class DeviceKick extends ServerCommand {
  static override summary = 'Close the connection of a device';

  static override description = `It may come back at once. Needs an API key of the scope admin.

Exit codes: 0 done, 1 failed (it is not connected), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> PB-0001 --reason maintenance'];

  static override args = {id: Args.string({description: 'Device id', required: true})};

  static override flags = {
    reason: Flags.string({description: 'Why, for the log of the server', helpValue: 'TEXT'}),
  };

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(DeviceKick);
    const client = await this.client(flags);
    const data = await client.post(pathOf`/api/v1/devices/${args.id}/kick`, {body: {reason: flags.reason}});
    this.talk(`The connection of ${args.id} is closed.`);
    return data;
  }
}
