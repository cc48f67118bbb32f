import {Args} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {contextNamed, loadContexts, saveContexts} from '../../cli/contexts.js';

export default class ContextRemove extends BaseCommand {
  static override summary = 'Forget a context and its key';

  static override description = `The key itself stays valid: the server revokes keys.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> shop'];

  static override args = {name: Args.string({description: 'Name of the context', required: true})};

  async run(): Promise<unknown> {
    const {args} = await this.parse(ContextRemove);
    const all = await loadContexts();
    const {name} = contextNamed(all, args.name);
    const current = all.current === name ? null : all.current;
    await saveContexts({current, contexts: all.contexts.filter((context) => context.name !== name)});
    this.talk(`Removed context ${name}.`);
    if (current === null) this.talk('No context is in use now.');
    return {name};
  }
}
