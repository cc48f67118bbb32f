import {Flags} from '@oclif/core';
import {limitFlag} from '../../cli/list-flags.js';
import {localTime} from '../../cli/local-time.js';
import {ServerCommand} from '../../cli/server-command.js';
import {type Column, tableText} from '../../cli/table.js';
import type {DeviceData} from '../../lib/client/index.js';

const COLUMNS: Column<DeviceData>[] = [
  {head: 'DEVICE', value: (device) => device.device_id},
  {head: 'ONLINE', value: (device) => device.online},
  {head: 'SCORE', value: (device) => device.score, align: 'right'},
  {head: 'PROTOCOL', value: (device) => device.protocol},
  {head: 'MODEL', value: (device) => device.model},
  {head: 'FIRMWARE', value: (device) => device.firmware},
  {head: 'LAST SEEN', value: (device) => localTime(device.last_seen_at)},
];

export default class DeviceList extends ServerCommand {
  static override summary = 'List the devices of a server';

  static override description = `Needs an API key of the scope read.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {description: 'Who is away', command: '<%= config.bin %> <%= command.id %> --offline --limit 1000 --json'},
  ];

  static override flags = {
    online: Flags.boolean({description: 'Only those that are connected', exclusive: ['offline']}),
    offline: Flags.boolean({description: 'Only those that are not'}),
    limit: limitFlag(1000, 100),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(DeviceList);
    const client = await this.client(flags);
    const online = flags.online ? true : flags.offline ? false : undefined;
    const data = await client.get<Record<string, unknown>>('/api/v1/devices', {limit: flags.limit, online});
    const devices = this.entries<DeviceData>(data, 'devices');
    if (devices.length > 0) this.print(tableText(COLUMNS, devices));
    this.tellCount(devices.length, 'devices', data.total);
    return data;
  }
}
