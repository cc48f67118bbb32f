import {Args, Flags} from '@oclif/core';
import {ServerCommand} from '../../cli/server-command.js';
import {pathOf} from '../../lib/client/index.js';
import {messageOf, UsageError} from '../../lib/errors.js';
import {parseHex} from '../../lib/proto/index.js';

const HIGHEST_TYPE = 0xffff;

export default class DeviceSend extends ServerCommand {
  static override summary = "Write one message of a device's protocol to it, unchecked";

  static override description = `For trials and repairs: the server knows nothing of what it causes. The answer says \
that it was written, not that the device took it. frame encode makes payloads. Needs an API key of the scope admin.

Exit codes: 0 written, 1 failed (the device is not connected), 2 wrong usage.`;

  static override examples = ['<%= config.bin %> <%= command.id %> PB-0001 --type 0x10 --payload-hex 0a026f31'];

  static override args = {id: Args.string({description: 'Device id', required: true})};

  static override flags = {
    type: Flags.string({description: 'Type of the message: 0x10, or 16', required: true, helpValue: 'TYPE'}),
    'payload-hex': Flags.string({description: 'Payload as hex; none unless given', default: '', helpValue: 'HEX'}),
  };

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(DeviceSend);
    const body = {type: readType(flags.type), payload_hex: readPayload(flags['payload-hex'])};
    const client = await this.client(flags);
    const data = await client.post(pathOf`/api/v1/devices/${args.id}/send`, {body});
    this.talk(`Written to ${args.id}.`);
    return data;
  }
}

function readType(text: string): number {
  const type = /^(?:0x[0-9a-f]{1,4}|\d{1,5})$/i.test(text) ? Number(text) : Number.NaN;
  if (type <= HIGHEST_TYPE) return type;
  throw new UsageError(`--type ${JSON.stringify(text)} is no type.`, {hint: 'A type is 0x0000 to 0xFFFF, as 0x10.'});
}

function readPayload(text: string): string {
  try {
    return parseHex(text).toString('hex');
  } catch (cause) {
    throw new UsageError(`--payload-hex: ${messageOf(cause)}.`, {cause, hint: 'Two hex digits make a byte: 0a026f31.'});
  }
}
