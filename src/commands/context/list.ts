import {BaseCommand} from '../../cli/base-command.js';
import {loadContexts} from '../../cli/contexts.js';
import {tableText} from '../../cli/table.js';

const KEY_ID = /^pnk_([0-9a-f]{12})_/;

export default class ContextList extends BaseCommand {
  static override summary = 'List the contexts';

  static override description = `Of a key its id is shown, never the key.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<unknown> {
    await this.parse(ContextList);
    const {current, contexts} = await loadContexts();
    const rows = contexts.map(({name, server, key, ca}) => ({
      name,
      server,
      current: name === current,
      key_id: key === undefined ? null : (KEY_ID.exec(key)?.[1] ?? 'unknown'),
      ca: ca !== undefined,
    }));
    if (rows.length === 0) this.talk('No contexts.');
    else {
      const columns = [
        {head: 'IN USE', value: (row: (typeof rows)[number]) => (row.current ? '*' : ' ')},
        {head: 'NAME', value: (row: (typeof rows)[number]) => row.name},
        {head: 'SERVER', value: (row: (typeof rows)[number]) => row.server},
        {head: 'KEY', value: (row: (typeof rows)[number]) => row.key_id},
        {head: 'OWN CA', value: (row: (typeof rows)[number]) => row.ca},
      ];
      this.print(tableText(columns, rows));
    }
    return {current, contexts: rows};
  }
}
