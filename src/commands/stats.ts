import {ServerCommand} from '../cli/server-command.js';
import {type Cell, detailsText} from '../cli/table.js';

export default class Stats extends ServerCommand {
  static override summary = 'Show the figures of a server at this moment';

  static override description = `Needs an API key of the scope read.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<unknown> {
    const {flags} = await this.parse(Stats);
    const client = await this.client(flags);
    const figures = await client.get<object>('/api/v1/stats');
    const pairs = flat(figures);
    if (pairs.length > 0) this.print(detailsText(pairs));
    this.tellCount(pairs.length, 'figures', undefined);
    return figures;
  }
}

/** {devices: {online: 1}} as "devices.online". */
function flat(figures: object, before = ''): [name: string, value: Cell][] {
  return Object.entries(figures).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? flat(value, `${before}${name}.`) : [[`${before}${name}`, value]],
  );
}
