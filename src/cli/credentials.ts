import {UsageError} from '../lib/errors.js';
import {readPrivateFile} from '../lib/tls/index.js';
import {readStdin} from './stdin.js';

/** An API key and the secret that signs for it. */
export interface Credentials {
  key: string;
  hmacSecret: string | undefined;
}

const SHAPE = /^[\x21-\x7e]{1,512}$/;
const HINT = 'It holds what `apikey create --json` prints, or two lines: the key, then its secret.';

/**
 * The credentials of a file that nobody else can read, or of standard input ("-"), where a person is asked.
 * @throws PaynetError KEY_PERMISSIONS, FILE_UNREADABLE; UsageError when there are none in it
 */
export async function readCredentials(file: string, mayAsk: boolean): Promise<Credentials> {
  if (file !== '-') return parseCredentials(await readPrivateFile(file), file);
  if (mayAsk) return askCredentials();
  return parseCredentials((await readStdin('Pipe the key in.')).toString('utf8'), 'The input');
}

/** Those of the environment; undefined when it has none. */
export function credentialsOf(env: NodeJS.ProcessEnv): Credentials | undefined {
  const {PAYNETCTL_KEY: key = '', PAYNETCTL_SECRET: secret = ''} = env;
  if (key === '') return undefined;
  return checked(key, secret === '' ? undefined : secret, 'PAYNETCTL_KEY and PAYNETCTL_SECRET');
}

/** Asks the person at the terminal; nothing of the answers is shown. */
export async function askCredentials(): Promise<Credentials> {
  const {password} = await import('@inquirer/prompts');
  const ask = (message: string): Promise<string> => password({message}, {output: process.stderr});
  const key = (await ask('API key')).trim();
  const secret = (await ask('Its secret (empty when the server wants no signatures)')).trim();
  return checked(key, secret === '' ? undefined : secret, 'The answer');
}

/** Whether there is somebody to ask. */
export const mayAsk = (isJson: boolean): boolean => process.stdin.isTTY && process.stderr.isTTY && !isJson;

/** @throws UsageError; what was given is not repeated */
export function parseCredentials(text: string, source: string): Credentials {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) {
    const [key = '', secret, ...more] = trimmed.split(/\s*\n\s*/);
    if (more.length > 0) throw unfit(source);
    return checked(key, secret, source);
  }
  const {key, hmac_secret: secret, hmacSecret = secret} = objectOf(trimmed, source);
  if (typeof key !== 'string' || (hmacSecret !== undefined && typeof hmacSecret !== 'string')) throw unfit(source);
  return checked(key, hmacSecret, source);
}

function objectOf(text: string, source: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // The parser's sentence would repeat a part of the secret.
    throw unfit(source);
  }
}

function checked(key: string, hmacSecret: string | undefined, source: string): Credentials {
  if (!SHAPE.test(key) || (hmacSecret !== undefined && !SHAPE.test(hmacSecret))) throw unfit(source);
  return {key, hmacSecret};
}

const unfit = (source: string): UsageError => new UsageError(`${source} holds no API key.`, {hint: HINT});
