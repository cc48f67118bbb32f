import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {checkContextName, contextsFile, loadContexts, saveContexts} from '../../cli/contexts.js';
import {askCredentials, mayAsk, readCredentials} from '../../cli/credentials.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {readAuthority} from '../../cli/target.js';
import {parseServer} from '../../lib/client/index.js';
import {UsageError} from '../../lib/errors.js';

export default class ContextAdd extends BaseCommand {
  static override summary = 'Keep the address of a server and the key for it under a name';

  static override description =
    paragraphs(`Writes to $XDG_CONFIG_HOME/paynetctl/contexts.json, else ~/.config/paynetctl/contexts.json (mode 600): the
address, and copies of the key, its secret and the authority. Without --key-file a person at a terminal is asked for the
key; else the context has none, and PAYNETCTL_KEY is used with it. The first context is the one in use.

Exit codes: 0 done, 1 failed, 2 wrong usage.`);

  static override examples = [
    {
      description: 'With a key of this machine; asks for the key and its secret',
      command: '<%= config.bin %> <%= command.id %> local --server http://127.0.0.1:7055',
    },
    {
      description: 'With a private authority',
      command:
        '<%= config.bin %> <%= command.id %> shop --server https://paynet.example.com --key-file key.json --ca ca.crt',
    },
  ];

  static override args = {name: Args.string({description: 'Name of the context', required: true})};

  static override flags = {
    server: Flags.string({description: 'URL of the HTTP interface', required: true, helpValue: 'URL'}),
    'key-file': Flags.string({description: 'API key and its secret, "-" for standard input', helpValue: 'FILE'}),
    ca: Flags.string({description: "Authority of the server's certificate (PEM)", helpValue: 'FILE'}),
  };

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(ContextAdd);
    const {name} = args;
    checkContextName(name);
    const server = parseServer(flags.server);
    const {current, contexts} = await loadContexts();
    if (contexts.some((context) => context.name === name)) {
      throw new UsageError(`There is a context ${name} already.`, {
        hint: `Remove it first: paynetctl context remove ${name}`,
      });
    }
    const file = flags['key-file'];
    const asks = mayAsk(this.jsonEnabled());
    const credentials =
      file !== undefined ? await readCredentials(file, asks) : asks ? await askCredentials() : undefined;
    const ca = flags.ca === undefined ? undefined : await readAuthority(flags.ca);
    const added = {name, server: server.origin, key: credentials?.key, hmac_secret: credentials?.hmacSecret, ca};
    await saveContexts({current: current ?? name, contexts: [...contexts, added]});
    this.talk(`Added context ${name} to ${contextsFile()}.`);
    if (credentials === undefined) this.talk('It has no API key: set PAYNETCTL_KEY and PAYNETCTL_SECRET to use it.');
    if (server.protocol === 'http:' && !isLoopback(server.hostname)) {
      this.talk('Note: over http everybody on the way can read the API key; use https.');
    }
    return {name, server: server.origin, current: (current ?? name) === name};
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\./.test(host);
