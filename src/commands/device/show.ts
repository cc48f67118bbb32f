import {Args} from '@oclif/core';
import {localTime} from '../../cli/local-time.js';
import {ServerCommand} from '../../cli/server-command.js';
import {detailsText} from '../../cli/table.js';
import {type DeviceData, pathOf} from '../../lib/client/index.js';

export default class DeviceShow extends ServerCommand {
  static override summary = 'Show a device';

  static override description = `Needs an API key of the scope read.

Exit codes: 0 done, 1 failed (there is no such device), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> PB-0001'];

  static override args = {id: Args.string({description: 'Device id', required: true})};

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(DeviceShow);
    const client = await this.client(flags);
    const device = await client.get<DeviceData>(pathOf`/api/v1/devices/${args.id}`);
    this.print(
      detailsText([
        ['device', device.device_id],
        ['online', device.online],
        ['score', device.score],
        ['protocol', device.protocol],
        ['model', device.model],
        ['firmware', device.firmware],
        ['registered', localTime(device.registered_at)],
        ['last seen', localTime(device.last_seen_at)],
      ]),
    );
    return device;
  }
}
