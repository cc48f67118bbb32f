import {BaseCommand} from '../../cli/base-command.js';
import {configFlags} from '../../cli/config-flags.js';
import {configSource} from '../../cli/config-source.js';
import {keyLines} from '../../cli/key-text.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {type KeyInfo, listApiKeys, type Scope} from '../../lib/api/index.js';

/** What --json prints: a stable format; times are ISO 8601 in UTC. */
interface ListedKey {
  id: string;
  name: string;
  scope: Scope;
  created_at: string;
  expires_at: string | null;
  /** May be a minute old. */
  last_used_at: string | null;
  revoked_at: string | null;
}

export default class List extends BaseCommand {
  static override summary = 'List the keys of the HTTP interface';

  static override description = paragraphs(`Shows every API key, the revoked ones too, the oldest first; never a secret.
The server may be running.

Exit codes: 0 done, 1 failed (the database cannot be used), 2 wrong usage or configuration.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> -c config.yaml',
    '<%= config.bin %> <%= command.id %> -c config.yaml --json',
  ];

  static override flags = configFlags;

  async run(): Promise<{keys: ListedKey[]}> {
    const {flags} = await this.parse(List);
    const keys = await listApiKeys(configSource(flags));
    if (keys.length === 0) this.talk('There is no key yet: `paynetctl apikey create` makes one.');
    for (const line of keyLines(keys, Date.now())) this.print(line);
    return {keys: keys.map(listed)};
  }
}

function listed({id, name, scope, createdAt, expiresAt, lastUsedAt, revokedAt}: KeyInfo): ListedKey {
  return {
    id,
    name,
    scope,
    created_at: new Date(createdAt).toISOString(),
    expires_at: isoOf(expiresAt),
    last_used_at: isoOf(lastUsedAt),
    revoked_at: isoOf(revokedAt),
  };
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
