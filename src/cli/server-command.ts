import {Flags} from '@oclif/core';
import {CallError, type Client, createClient} from '../lib/client/index.js';
import {escapeJson, printable} from '../lib/observe/index.js';
import {BaseCommand} from './base-command.js';
import {mayAsk} from './credentials.js';
import {findTarget, type TargetFlags} from './target.js';

const TIMEOUT_MS = 30_000;

/** What every command against a server's HTTP interface shares: where it is, and who calls. */
export abstract class ServerCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    server: Flags.string({
      description: 'URL of the HTTP interface; else PAYNETCTL_SERVER, else the context',
      helpValue: 'URL',
      helpGroup: 'SERVER',
    }),
    'key-file': Flags.string({
      description: 'API key and its secret, "-" for standard input; else PAYNETCTL_KEY and PAYNETCTL_SECRET',
      helpValue: 'FILE',
      helpGroup: 'SERVER',
    }),
    ca: Flags.string({
      description: "Authority of the server's certificate (PEM)",
      helpValue: 'FILE',
      helpGroup: 'SERVER',
    }),
    context: Flags.string({
      description: 'Context to use; else PAYNETCTL_CONTEXT, else the one in use',
      helpValue: 'NAME',
      helpGroup: 'SERVER',
    }),
  };

  /** A client of the server that flags, environment and contexts name. @throws UsageError */
  protected async client(flags: TargetFlags, signal?: AbortSignal): Promise<Client> {
    const target = await findTarget(flags, process.env, mayAsk(this.jsonEnabled()));
    return createClient({...target, timeoutMs: TIMEOUT_MS, signal});
  }

  /** The entries of a list. @throws CallError ANSWER_INVALID when the server has none where they belong */
  protected entries<T>(data: Record<string, unknown>, name: string): T[] {
    const found = data?.[name];
    if (Array.isArray(found)) return found as T[];
    throw new CallError('ANSWER_INVALID', `The answer has no list of ${name}.`, {
      hint: 'The server may be of another version.',
    });
  }

  /** Says that a list is empty, or that there is more of it. */
  protected tellCount(shown: number, what: string, total: unknown): void {
    if (shown === 0) this.talk(`No ${what}.`);
    else if (typeof total === 'number' && total > shown) this.talk(`${shown} of ${total} ${what}.`);
  }

  protected override async catch(error: Error & {exitCode?: number}): Promise<void> {
    if (!(error instanceof CallError)) return super.catch(error);
    // The sentence may be a stranger's.
    const {code, message, hint, ...rest} = error;
    const shown = new CallError(code, printable(message, 500), {
      ...rest,
      cause: error,
      ...(hint !== undefined && {hint}),
    });
    return super.catch(shown);
  }

  /** What the server says, unchanged; nothing in it steers a terminal. */
  override logJson(json: unknown): void {
    if (json === undefined) return;
    const lines = JSON.stringify(json, undefined, 2).split('\n');
    process.stdout.write(`${lines.map(escapeJson).join('\n')}\n`);
  }
}
