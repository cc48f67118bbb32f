import {Args} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {configFlags} from '../../cli/config-flags.js';
import {configSource} from '../../cli/config-source.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {revokeApiKey} from '../../lib/api/index.js';
import {UsageError} from '../../lib/errors.js';

export default class Revoke extends BaseCommand {
  static override summary = 'Revoke a key of the HTTP interface';

  static override description = paragraphs(`From then on the key is refused: by a server that runs, within 5 seconds. It
stays on the list, and cannot be brought back. This needs no master key.

Exit codes: 0 done (also when it was revoked before), 1 failed (there is no such key, the database cannot be used), 2
wrong usage or configuration.`);

  static override examples = ['<%= config.bin %> <%= command.id %> 3f9c0a1b2d4e -c config.yaml'];

  static override args = {
    id: Args.string({description: 'The id of the key, as `apikey list` shows it', required: true}),
  };

  static override flags = configFlags;

  async run(): Promise<{id: string; revoked: true}> {
    const {args, flags} = await this.parse(Revoke);
    const {id} = args;
    // Not repeated in the error: it may be the key itself.
    if (!/^[0-9a-f]{12}$/.test(id)) {
      throw new UsageError('That is not the id of an API key: an id has 12 hex digits.', {
        hint: '`paynetctl apikey list` shows the ids; never give the key itself on a command line.',
      });
    }
    await revokeApiKey(configSource(flags), id);
    this.print(`revoked  ${id}`);
    this.talk('A server that runs refuses it within 5 seconds.');
    return {id, revoked: true};
  }
}
