import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {configFlags} from '../../cli/config-flags.js';
import {configSource} from '../../cli/config-source.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {type CreatedKey, type KeyRecord, keyRecord, makeApiKey, SCOPES, type Scope} from '../../lib/api/index.js';

/** What --json prints with --out: where the secrets are, not what they are. */
type Handed = Omit<KeyRecord, 'key' | 'hmac_secret'> & {file: string};

export default class Create extends BaseCommand {
  static override summary = 'Make a key for the HTTP interface';

  static override description =
    paragraphs(`Makes an API key and the secret that signs its requests (HMAC), and shows both this once. The server
may be running: it accepts the key at once. The first run makes the master key (api.master_key) and, where there is
none, the database; run it as the user of the server.

Several keys may be in force at the same time: to change one, make another, use that, and revoke the old one.

Exit codes: 0 done, 1 failed (a file is in the way, the database or the master key cannot be used), 2 wrong usage or
configuration.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> --name till -c config.yaml',
    {
      description: 'For ninety days, to look only, into a file that only you can read',
      command:
        '<%= config.bin %> <%= command.id %> --name audit --scope read --expires 90d --out audit.json -c config.yaml',
    },
  ];

  static override flags = {
    name: Flags.string({description: 'What the key is for: 1 to 64 characters', required: true, helpValue: 'NAME'}),
    scope: Flags.option({
      description: 'What it may do; each includes those before it',
      options: SCOPES,
      default: 'write' as Scope,
    })(),
    expires: Flags.string({
      description: 'Time until it expires, such as 90d or 12h; never unless given',
      helpValue: 'TIME',
    }),
    out: Flags.string({
      description: 'Write key and secret to this new file (mode 600, JSON) and print neither',
      helpValue: 'FILE',
    }),
    ...configFlags,
  };

  async run(): Promise<KeyRecord | Handed> {
    const {flags} = await this.parse(Create);
    const {name, scope, expires, out} = flags;
    const made = await makeApiKey(configSource(flags), {name, scope, expires, out});
    const record = keyRecord(made);
    this.talk(sentence(made, record.expires_at));
    if (out === undefined) {
      this.print(`key          ${made.key}`);
      this.print(`hmac_secret  ${made.hmacSecret}`);
      this.talk('Keep both safe: they are not shown again.');
      return record;
    }
    const {key: _, hmac_secret: __, ...known} = record;
    this.print(`id    ${made.id}`);
    this.print(`file  ${out}`);
    return {...known, file: out};
  }
}

function sentence({id, scope}: CreatedKey, expires: string | null): string {
  return `Made API key ${id} with scope ${scope}; it ${expires === null ? 'does not expire' : `expires on ${expires}`}.`;
}
