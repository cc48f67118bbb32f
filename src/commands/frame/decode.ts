import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {frameFlags, openFrameRules} from '../../cli/frame-flags.js';
import {frameText} from '../../cli/frame-text.js';
import {readStdin} from '../../cli/stdin.js';
import {PaynetError, UsageError} from '../../lib/errors.js';
import {explainPaynet, isText, parseHex, safeJson} from '../../lib/proto/index.js';

export default class Decode extends BaseCommand {
  static override summary = 'Explain frames of the device link';

  static override description =
    `Takes hex (spaces, line ends, colons, commas and 0x are fine) or, on stdin, the frames' own \
bytes; which of the two is seen by itself. Frames before a bad one are printed.

With --json, each frame is one object on a line of its own: protocol, direction (null when the bytes do not tell), type, \
name, length, offset, fields, unknownFields, notes, hex. What cannot be decoded is a last line with "error".

Exit codes: 0 done, 1 something could not be decoded, 2 wrong usage.`;

  static override examples = [
    {
      description: 'A frame as text',
      command: '<%= config.bin %> <%= command.id %> 00 00 00 09 84 0a 02 6f 31 10 02 18 64',
    },
    {
      description: 'Captured bytes, as JSON',
      command: '<%= config.bin %> <%= command.id %> --json < capture.bin',
    },
    {
      description: 'A message of your own',
      command: '<%= config.bin %> <%= command.id %> --proto shop.proto --message 0x40=PortState 0000000340 0801',
    },
  ];

  static override args = {
    hex: Args.string({description: 'Hex text; stdin when left out', multiple: true, ignoreStdin: true}),
  };

  static override flags = {
    ...frameFlags,
    binary: Flags.boolean({description: "Take stdin for the frames' own bytes whatever they look like"}),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Decode);
    const rules = await openFrameRules(flags);
    const bytes = await this.input(args.hex, flags.binary);
    if (bytes.length === 0) {
      throw new PaynetError('INPUT_EMPTY', 'There is nothing to decode: the input is empty.', {
        hint: 'Give hex as an argument, or hex or bytes on stdin.',
      });
    }
    const {frames, fault} = explainPaynet(bytes, {...rules, direction: flags.direction});
    for (const [index, explained] of frames.entries()) {
      if (this.jsonEnabled()) this.logJson(explained.frame);
      else this.print(`${index === 0 ? '' : '\n'}${frameText(explained, rules.format.length)}`);
    }
    if (fault !== undefined) throw fault;
  }

  private async input(hex: string[] | undefined, binary: boolean): Promise<Buffer> {
    if (hex !== undefined) {
      if (binary) throw new UsageError('--binary is for stdin; an argument is always hex.');
      return parseHex(hex.join(' '));
    }
    const bytes = await readStdin('Give hex as an argument, or pipe hex or bytes in.');
    return binary || !isText(bytes) ? bytes : parseHex(bytes.toString('utf8'));
  }

  /** One object on one line: several frames are lines that other programs can read. */
  override logJson(json: unknown): void {
    process.stdout.write(`${safeJson(json)}\n`);
  }
}
