import {Flags} from '@oclif/core';

/** How many entries of a list; the interface gives at most so many at a time. */
export const limitFlag = (most: number, preset = 20) =>
  Flags.integer({description: `How many at most, 1 to ${most}`, default: preset, min: 1, max: most, helpValue: 'N'});

export const deviceFlag = Flags.string({description: 'Only those of this device', helpValue: 'ID'});
