import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {credentialsOf, mayAsk, readCredentials} from '../../cli/credentials.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {readStdin} from '../../cli/stdin.js';
import {messageOf, UsageError} from '../../lib/errors.js';
import {signRequest, stringToSign} from '../../lib/events/index.js';

const METHODS = ['GET', 'POST'];

export default class Sign extends BaseCommand {
  static override summary = 'Sign a request to the HTTP interface: its headers, for curl and for comparison';

  static override description =
    paragraphs(`Prints the headers of a signed request, one a line, as curl reads them with -H @FILE. They
hold the API key and are good once, within five minutes. With --json the string that was signed is there as well, to
compare it with what another program makes: method, path with query, time, nonce and the SHA-256 of the body, each on a
line of its own.

Exit codes: 0 signed, 1 failed, 2 wrong usage.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> GET /api/v1/stats --key-file shop.json',
    '<%= config.bin %> <%= command.id %> POST /api/v1/coin-orders --data @order.json --key-file shop.json > headers.txt',
  ];

  static override args = {
    method: Args.string({description: 'GET or POST', required: true, options: METHODS}),
    path: Args.string({description: 'Path, with its query if there is one', required: true}),
  };

  static override flags = {
    'key-file': Flags.string({
      description: 'API key and its secret, "-" for standard input; else PAYNETCTL_KEY and PAYNETCTL_SECRET',
      helpValue: 'FILE',
    }),
    data: Flags.string({description: 'The body: text, or @FILE, or @- for standard input', helpValue: 'TEXT'}),
  };

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(Sign);
    const {method, path} = args;
    if (!path.startsWith('/')) throw new UsageError('The path begins with a slash, like /api/v1/coin-orders.');
    const {key, hmacSecret} = await this.#credentials(flags['key-file']);
    if (hmacSecret === undefined) throw new UsageError('Without the secret of the key nothing can be signed.');
    const body = await bodyOf(flags.data);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const nonce = randomBytes(16).toString('hex');
    const request = {method, path, timestamp, nonce, body};
    const signature = signRequest(hmacSecret, request);
    const headers = {
      'X-Api-Key': key,
      'X-Timestamp': timestamp,
      'X-Nonce': nonce,
      'X-Signature': signature,
      ...(method === 'POST' && {'Content-Type': 'application/json'}),
    };
    for (const [name, value] of Object.entries(headers)) this.print(`${name}: ${value}`);
    return {headers, string_to_sign: stringToSign(request)};
  }

  async #credentials(file: string | undefined): ReturnType<typeof readCredentials> {
    if (file !== undefined) return readCredentials(file, mayAsk(this.jsonEnabled()));
    const found = credentialsOf(process.env);
    if (found !== undefined) return found;
    throw new UsageError('Which key signs?', {hint: 'Give --key-file, or set PAYNETCTL_KEY and PAYNETCTL_SECRET.'});
  }
}

async function bodyOf(data: string | undefined): Promise<Buffer> {
  if (data === undefined) return Buffer.alloc(0);
  if (data === '@-') return readStdin('Pipe the body in.');
  if (!data.startsWith('@')) return Buffer.from(data);
  return readFile(data.slice(1)).catch((error: unknown) => {
    throw new UsageError(`--data ${data}: ${messageOf(error)}`, {cause: error});
  });
}
