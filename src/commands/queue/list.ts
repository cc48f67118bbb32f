import {Flags} from '@oclif/core';
import {deviceFlag, limitFlag} from '../../cli/list-flags.js';
import {localTime} from '../../cli/local-time.js';
import {ServerCommand} from '../../cli/server-command.js';
import {type Column, tableText} from '../../cli/table.js';
import type {CommandData} from '../../lib/client/index.js';

const COLUMNS: Column<CommandData>[] = [
  {head: 'COMMAND', value: (command) => command.id},
  {head: 'DEVICE', value: (command) => command.device_id},
  {head: 'ORDER', value: (command) => command.order_no},
  {head: 'KIND', value: (command) => command.kind},
  {head: 'STATUS', value: (command) => command.status},
  {head: 'ATTEMPTS', value: (command) => command.attempts, align: 'right'},
  {head: 'CREATED', value: (command) => localTime(command.created_at)},
  {head: 'UPDATED', value: (command) => localTime(command.updated_at)},
  {head: 'ERROR', value: (command) => command.last_error},
];

export default class QueueList extends ServerCommand {
  static override summary = 'List the commands that were given up, or those that wait';

  static override description = `Those that were given up are the dead letters: queue retry sends one once more, \
queue dismiss gives it up for good. Needs an API key of the scope read.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {description: 'What waits for a device', command: '<%= config.bin %> <%= command.id %> --waiting --device PB-0001'},
  ];

  static override flags = {
    device: deviceFlag,
    waiting: Flags.boolean({description: 'Those that wait, instead of the dead letters'}),
    limit: limitFlag(100),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(QueueList);
    const client = await this.client(flags);
    const query = {device_id: flags.device, page_size: flags.limit};
    const [path, name] = flags.waiting
      ? (['/api/v1/commands', 'commands'] as const)
      : (['/api/v1/dead-letters', 'dead_letters'] as const);
    const data = await client.get<Record<string, unknown>>(path, query);
    const commands = this.entries<CommandData>(data, name);
    if (commands.length > 0) this.print(tableText(COLUMNS, commands));
    this.tellCount(commands.length, flags.waiting ? 'commands' : 'dead letters', data.total);
    return data;
  }
}
