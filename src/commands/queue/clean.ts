import {ServerCommand} from '../../cli/server-command.js';

export default class QueueClean extends ServerCommand {
  static override summary = 'Remove dead letters that are settled and old';

  static override description = `An undelivered command that nobody has dismissed stays. Needs an API key of the scope \
admin.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<unknown> {
    const {flags} = await this.parse(QueueClean);
    const client = await this.client(flags);
    const data = await client.post<{removed: number}>('/api/v1/dead-letters/clean');
    this.talk(`${data.removed} removed.`);
    return data;
  }
}
