import {Args} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {contextNamed, loadContexts, saveContexts} from '../../cli/contexts.js';

export default class ContextUse extends BaseCommand {
  static override summary = 'Choose the context that commands use';

  static override description = `A context of --context or PAYNETCTL_CONTEXT wins over it.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> shop'];

  static override args = {name: Args.string({description: 'Name of the context', required: true})};

  async run(): Promise<unknown> {
    const {args} = await this.parse(ContextUse);
    const all = await loadContexts();
    const {name, server} = contextNamed(all, args.name);
    await saveContexts({...all, current: name});
    this.talk(`Commands use ${name} now: ${server}`);
    return {name, server};
  }
}
