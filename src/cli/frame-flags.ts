import {Flags} from '@oclif/core';
import {UsageError} from '../lib/errors.js';
import {DEFAULT_MAX_FRAME, type FrameFormat, HIGHEST_MAX_FRAME} from '../lib/frame/index.js';
import {type Meaning, meaningsOf, openSchema, readType, type Schema} from '../lib/proto/index.js';

/** What every command on frames needs to know about them. */
export const frameFlags = {
  direction: Flags.option({
    description: 'up: from device to server, down: from server to device; guessed unless given',
    options: ['up', 'down'] as const,
  })(),
  'frame-length': Flags.option({
    description: 'What the length of a frame counts',
    options: ['type+payload', 'payload'] as const,
    default: 'type+payload' as const,
  })(),
  'max-frame': Flags.integer({
    description: 'Largest length of a frame, in bytes',
    default: DEFAULT_MAX_FRAME,
    min: 1,
    max: HIGHEST_MAX_FRAME,
  }),
  proto: Flags.string({
    description: '.proto file with messages of your own (may be repeated); needs --message',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE',
    dependsOn: ['message'],
  }),
  message: Flags.string({
    description: 'Message that a type stands for, such as 0x40=PortState (may be repeated)',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'TYPE=NAME',
  }),
};

export interface FrameRules {
  format: FrameFormat;
  schema: Schema;
  meanings: Meaning[];
}

/** Opens the .proto files and reads the other flags. Throws UsageError, and what `openSchema` throws. */
export async function openFrameRules(flags: {
  'frame-length': FrameFormat['length'];
  'max-frame': number;
  proto?: string[];
  message?: string[];
}): Promise<FrameRules> {
  const names = new Map((flags.message ?? []).map(readMessageFlag));
  const schema = await openSchema(flags.proto);
  return {
    format: {length: flags['frame-length'], maxFrame: flags['max-frame']},
    schema,
    meanings: meaningsOf(schema, names),
  };
}

function readMessageFlag(text: string): [type: number, name: string] {
  const [, typeText, name] = /^([^=]+)=([A-Za-z_.][\w.]*)$/.exec(text) ?? [];
  const {type} = typeText === undefined ? {} : readType(typeText);
  if (type === undefined || name === undefined) {
    throw new UsageError(`--message ${JSON.stringify(text)} is not TYPE=NAME.`, {
      hint: 'For example: --message 0x40=PortState',
    });
  }
  return [type, name];
}
