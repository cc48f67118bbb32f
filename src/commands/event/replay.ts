import {Args} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';

export default class EventReplay extends ServerCommand {
  static override summary = 'Deliver events once more';

  static override description = `All of them, or none when one is not known; up to 100. Needs an API key of the scope \
admin.

Exit codes: 0 queued, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> THD1762863000001:1 THD1762863000001:2'];

  static override strict = false;

  static override args = {'event-id': Args.string({description: 'Id of an event (may be repeated)', required: true})};

  async run(): Promise<unknown> {
    const {argv, flags} = await this.parse(EventReplay);
    const client = await this.client(flags);
    const body = {event_ids: [...new Set(argv as string[])]};
    const data = await client.post<{replayed: number}>('/api/v1/events/replay', {body});
    this.talk(`${data.replayed} queued for delivery.`);
    return data;
  }
}
