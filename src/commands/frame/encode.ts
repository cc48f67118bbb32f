import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {type FrameRules, frameFlags, openFrameRules} from '../../cli/frame-flags.js';
import {readStdin} from '../../cli/stdin.js';
import {ExitCode, messageOf, PaynetError, UsageError} from '../../lib/errors.js';
import {
  composePaynet,
  type FrameRequest,
  jsonOfText,
  type Meaning,
  meaningFor,
  readRequest,
  readType,
  safeJson,
} from '../../lib/proto/index.js';

export default class Encode extends BaseCommand {
  static override summary = 'Make a frame of the device link';

  static override description =
    `Takes --type and --field, or JSON on stdin: an object, or one on each line, with type or name, fields, and \
direction and protocol if you like. What frame decode --json prints can be given as it is. Field names may be \
order_id or orderId; values are checked against their types and never wrapped or rounded.

Prints hex, with --json the same object as frame decode --json.

Exit codes: 0 done, 1 the JSON on stdin cannot be encoded, 2 wrong usage.`;

  static override examples = [
    {
      description: 'Pay out three coins',
      command:
        '<%= config.bin %> <%= command.id %> --type CoinCommand --field order_id=o1 --field coins=3 --field timeout=60',
    },
    {
      description: 'From JSON',
      command: `echo '{"name": "CoinAck", "fields": {"orderId": "o1", "state": "COIN_DONE"}}' | <%= config.bin %> <%= command.id %> --json`,
    },
    {
      description: 'The bytes themselves',
      command: '<%= config.bin %> <%= command.id %> --type 0x03 --direction up --binary > ping.bin',
    },
  ];

  static override flags = {
    ...frameFlags,
    type: Flags.string({description: 'Type or name of the message: 0x04, CoinCommand', helpValue: 'TYPE'}),
    field: Flags.string({
      description: 'Value of a field (may be repeated); of a message or map field as JSON',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      dependsOn: ['type'],
    }),
    binary: Flags.boolean({description: "Write the frame's bytes instead of hex", exclusive: ['json']}),
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Encode);
    if (flags.binary && process.stdout.isTTY) {
      throw new UsageError('Bytes are not written to a terminal.', {hint: 'Send them to a file or another program.'});
    }
    const rules = await openFrameRules(flags);
    const frames =
      flags.type === undefined
        ? (await this.input()).map((request) =>
            composePaynet({...request, direction: flags.direction ?? request.direction}, rules),
          )
        : [asUsage(() => composePaynet(requestOf({...flags, type: flags.type ?? ''}, rules), rules))];
    for (const {frame, bytes} of frames) {
      if (flags.binary) process.stdout.write(bytes);
      else if (this.jsonEnabled()) this.logJson(frame);
      else this.print(frame.hex);
    }
  }

  private async input(): Promise<FrameRequest[]> {
    const hint = 'Give --type and --field, or pipe JSON in.';
    const text = (await readStdin(hint)).toString('utf8').trim();
    if (text === '') throw new PaynetError('INPUT_EMPTY', 'There is nothing to encode: the input is empty.', {hint});
    const requests = readJson(text).map(readRequest);
    const strange = requests.find(({protocol}) => protocol !== 'paynet');
    if (strange === undefined) return requests;
    throw new PaynetError('PROTOCOL_UNKNOWN', `${safeJson(strange.protocol)} is no known protocol.`, {
      hint: 'Known protocols: paynet',
    });
  }

  override logJson(json: unknown): void {
    process.stdout.write(`${safeJson(json)}\n`);
  }
}

/** One JSON value, or one on each line. */
function readJson(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  try {
    return [JSON.parse(text)];
  } catch (whole) {
    try {
      if (lines.length > 1) return lines.map((line) => JSON.parse(line) as unknown);
    } catch {
      // What is wrong with the text as a whole is told below.
    }
    throw new PaynetError('JSON_INVALID', `The input is no JSON: ${safeJson(messageOf(whole)).slice(1, -1)}`, {
      cause: whole,
    });
  }
}

function requestOf(
  flags: {type: string; direction?: 'up' | 'down' | undefined; field?: string[] | undefined},
  rules: FrameRules,
): FrameRequest {
  const pairs = (flags.field ?? []).map(readField);
  const named = Object.fromEntries(pairs);
  const request = {protocol: 'paynet', direction: flags.direction, ...readType(flags.type), fields: named};
  return {...request, fields: fieldsOf(meaningFor(request, rules.meanings), pairs)};
}

function readField(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1)
    throw new UsageError(`--field ${safeJson(text)} is not NAME=VALUE.`, {hint: 'For example: --field coins=3'});
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Texts as values of the fields' types; a repeated field gathers all of its values. */
function fieldsOf({message}: Meaning, pairs: readonly [string, string][]): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [name, text] of pairs) {
    const value = jsonOfText(message, name, text);
    const list = message.fields[name]?.repeated === true;
    const before = fields.get(name);
    if (!list && before !== undefined) throw new UsageError(`--field ${safeJson(name)} is given twice.`);
    fields.set(name, list ? [...((before as unknown[] | undefined) ?? []), value] : value);
  }
  return Object.fromEntries(fields);
}

/** What is wrong with flags is wrong usage. */
function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PaynetError)) throw error;
    const {code, message, hint, cause} = error;
    throw new PaynetError(code, message, {cause, exitCode: ExitCode.usage, ...(hint !== undefined && {hint})});
  }
}
