import {Flags} from '@oclif/core';
import {changeText, isWanted, type Wanted} from '../../cli/change-text.js';
import {EVENT_COLUMNS} from '../../cli/event-text.js';
import {deviceFlag, limitFlag} from '../../cli/list-flags.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {ServerCommand} from '../../cli/server-command.js';
import {onInterrupt} from '../../cli/signals.js';
import {cellText, tableText} from '../../cli/table.js';
import type {TargetFlags} from '../../cli/target.js';
import {type EventData, pathOf} from '../../lib/client/index.js';
import {formatDuration} from '../../lib/config/index.js';
import {UsageError} from '../../lib/errors.js';

export default class EventList extends ServerCommand {
  static override summary = 'List events, or follow what happens';

  static override description =
    paragraphs(`The newest first; those of one order (--order) in their sequence. With --follow every change of devices,
orders and events is a line as it happens, with --json a line of JSON {id, event, data}, until Ctrl-C. After a loss of
the connection it comes back and catches up; a line "reset" says that something was missed. Needs an API key of the
scope read.

Exit codes: 0 done, 1 failed, 2 wrong usage.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> --status dead',
    '<%= config.bin %> <%= command.id %> --order THD1762863000001 --json',
    {description: 'Follow one device', command: '<%= config.bin %> <%= command.id %> --follow --device PB-0001 --json'},
  ];

  static override flags = {
    device: deviceFlag,
    status: Flags.option({
      description: 'Only those in this state',
      options: ['waiting', 'pushed', 'dead'] as const,
      exclusive: ['order', 'follow'],
    })(),
    type: Flags.string({description: 'Only those of this type: order.created, …', helpValue: 'TYPE'}),
    order: Flags.string({description: 'Only those of this order', helpValue: 'NO', exclusive: ['limit']}),
    limit: limitFlag(100),
    follow: Flags.boolean({description: 'Follow what happens from now on', exclusive: ['limit']}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(EventList);
    const {device, status, type, order, limit, follow} = flags;
    if (follow) return this.#follow(flags, {device, order, type});
    if (order !== undefined && (device ?? type) !== undefined) {
      throw new UsageError('--order gives all events of the order: --device and --type do not go with it.');
    }
    const client = await this.client(flags);
    const query = {device_id: device, status, event_type: type, page_size: limit};
    const data = await (order === undefined
      ? client.get<Record<string, unknown>>('/api/v1/events', query)
      : client.get<Record<string, unknown>>(pathOf`/api/v1/coin-orders/${order}/events`));
    const events = this.entries<EventData>(data, 'events');
    if (events.length > 0) this.print(tableText(EVENT_COLUMNS, events));
    this.tellCount(events.length, 'events', data.total);
    return data;
  }

  async #follow(target: TargetFlags, wanted: Wanted): Promise<undefined> {
    const interruption = onInterrupt();
    try {
      const client = await this.client(target, interruption.signal);
      const changes = client.stream({
        onOpen: () => this.talk('Connected; Ctrl-C ends it.'),
        onLost: ({message}, waitMs) =>
          this.talk(`Connection lost: ${cellText(message)} Next try in ${formatDuration(Math.round(waitMs))}.`),
      });
      for await (const change of changes) {
        if (!isWanted(change, wanted)) continue;
        this.print(changeText(change));
        this.record(change);
      }
    } finally {
      interruption.release();
    }
    return undefined;
  }
}
