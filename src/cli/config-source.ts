import type {LoadOptions} from '../lib/config/index.js';
import {UsageError} from '../lib/errors.js';

/** What a user says of a server's configuration on the command line. */
export interface ConfigNamed {
  config?: string | undefined;
  set?: readonly string[] | undefined;
}

/** Where the configuration of a server is read from. @throws UsageError when nothing names one */
export function configSource({config: file, set}: ConfigNamed): Omit<LoadOptions<'server'>, 'need'> {
  const configured = set !== undefined || Object.keys(process.env).some((name) => name.startsWith('PAYNET_SERVER_'));
  if (file === undefined && !configured) {
    throw new UsageError('Which configuration?', {hint: 'Give a file with -c; `paynetctl quickstart` writes one.'});
  }
  return {...(file !== undefined && {file}), ...(set !== undefined && {set: [...set]}), env: process.env};
}
