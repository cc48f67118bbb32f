import {Flags} from '@oclif/core';

/** What every command that works on a server's configuration needs to know. */
export const configFlags = {
  config: Flags.string({char: 'c', description: 'Configuration file (YAML)', helpValue: 'FILE'}),
  set: Flags.string({
    description: 'Set a key of the configuration (may be repeated)',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'KEY=VALUE',
  }),
};
