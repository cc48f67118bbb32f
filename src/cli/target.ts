import {parseServer} from '../lib/client/index.js';
import {UsageError} from '../lib/errors.js';
import {readTextFile} from '../lib/tls/index.js';
import {type Context, type Contexts, contextNamed, loadContexts} from './contexts.js';
import {askCredentials, type Credentials, credentialsOf, readCredentials} from './credentials.js';

export interface TargetFlags {
  server?: string | undefined;
  'key-file'?: string | undefined;
  ca?: string | undefined;
  context?: string | undefined;
}

export interface Target extends Credentials {
  server: URL;
  ca: string | undefined;
}

/**
 * Where to and as whom: flags win over the environment, that over the context in use. A context that a flag names
 * counts as a flag. The key of a context goes to the server of that context and to no other.
 * @throws UsageError when nothing says where or who; what reading the files throws
 */
export async function findTarget(flags: TargetFlags, env: NodeJS.ProcessEnv, mayAsk: boolean): Promise<Target> {
  const fromEnv = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const contexts = await loadContexts();
  const chosen = flags.context === undefined ? undefined : contextNamed(contexts, flags.context);
  const given = flags.server ?? chosen?.server ?? fromEnv('PAYNETCTL_SERVER');
  const context = chosen ?? inUse(contexts, fromEnv('PAYNETCTL_CONTEXT'), given !== undefined);
  const text = given ?? context?.server;
  if (text === undefined) {
    throw new UsageError('Nothing says which server is meant.', {
      hint: 'Give --server URL, set PAYNETCTL_SERVER, or add a context: paynetctl context add NAME --server URL',
    });
  }
  const server = parseServer(text);
  const own = context !== undefined && parseServer(context.server).origin === server.origin ? context : undefined;
  const file = flags['key-file'];
  const credentials =
    (file === undefined ? undefined : await readCredentials(file, mayAsk)) ??
    (chosen === undefined ? undefined : credentialsIn(own)) ??
    credentialsOf(env) ??
    credentialsIn(own) ??
    (mayAsk ? await askCredentials() : undefined);
  if (credentials === undefined) throw noKey(server, context, own !== undefined);
  return {...credentials, server, ca: flags.ca === undefined ? own?.ca : await readAuthority(flags.ca)};
}

/** PEM. @throws UsageError when there is no certificate in the file; what reading it throws */
export async function readAuthority(file: string): Promise<string> {
  const text = await readTextFile(file);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new UsageError(`${file} holds no certificate in PEM.`, {hint: 'Name the ca.crt of the authority.'});
}

/** What only the environment names must be there; beside a server it is no more than a place to look for a key. */
function inUse(contexts: Contexts, named: string | undefined, hasServer: boolean): Context | undefined {
  if (named !== undefined) return contextNamed(contexts, named);
  const found = contexts.contexts.find(({name}) => name === contexts.current);
  if (found === undefined && contexts.contexts.length > 0 && !hasServer) {
    throw new UsageError('No context is in use.', {hint: 'Choose one: paynetctl context use NAME'});
  }
  return found;
}

function credentialsIn(context: Context | undefined): Credentials | undefined {
  return context?.key === undefined ? undefined : {key: context.key, hmacSecret: context.hmac_secret};
}

function noKey(server: URL, context: Context | undefined, isOwn: boolean): UsageError {
  const why = context === undefined || isOwn ? '' : ` The key of context ${context.name} is for another server.`;
  return new UsageError(`There is no API key for ${server.origin}.${why}`, {
    hint: 'Give --key-file FILE, set PAYNETCTL_KEY and PAYNETCTL_SECRET, or add a context with a key.',
  });
}
