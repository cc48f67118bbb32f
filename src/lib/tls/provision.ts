import {dirname, join, resolve} from 'node:path';
import {codeOf, PaynetError, UsageError} from '../errors.js';
import {type Authority, createAuthority, hasAuthority, openAuthority} from './authority.js';
import {exists, fileNameFor, makeFolder, type NewFile, readTextFile, writeFilesTogether} from './files.js';
import {type IssuedCertificate, type IssueOptions, issueCertificate, planCertificate} from './issue.js';

export interface ProvisionOptions extends IssueOptions {
  /** Where `<cn>.crt`, `<cn>.key` and the authority's `ca.crt` go. */
  outDir: string;
  /** Where the authority is kept; `<outDir>/ca` unless told, so that `outDir` minus that folder can be handed out. */
  caDir?: string;
  /** Replace an older certificate and key of this name; an authority is never replaced. */
  overwrite?: boolean;
}

export interface Provisioned {
  certificateFile: string;
  keyFile: string;
  /** The authority's certificate: what the other side has to trust. */
  caFile: string;
  caDir: string;
  createdAuthority: boolean;
  issued: IssuedCertificate;
}

/** Where the authority is kept unless told otherwise. */
export function defaultCaDir(outDir: string): string {
  return join(outDir, 'ca');
}

/**
 * Issues a certificate into a folder, with the authority found or made in `caDir`. Everything that can be refused is
 * refused before anything is made. Errors: those of `planCertificate`, `openAuthority` and `writeFilesTogether`, and
 * CA_DIFFERS when the folder holds the `ca.crt` of another authority.
 */
export async function provisionCertificate(options: ProvisionOptions): Promise<Provisioned> {
  const {outDir, caDir = defaultCaDir(outDir), overwrite = false} = options;
  const {cn} = planCertificate(options);
  const base = fileNameFor(cn);
  if (base.toLowerCase() === 'ca') {
    throw new UsageError('The name "ca" is that of the authority\'s own files.', {hint: 'Choose another --cn.'});
  }
  const certificateFile = join(outDir, `${base}.crt`);
  const keyFile = join(outDir, `${base}.key`);
  if (!overwrite) for (const file of [certificateFile, keyFile]) await refuseExisting(file);

  const caFile = join(outDir, 'ca.crt');
  // Asked in this order, another run that is just making both never looks like a stranger.
  if (!overwrite && (await exists(caFile)) && !(await hasAuthority(caDir))) throw differs(caFile, caDir);

  await makeFolder(outDir, 'public');
  const {authority, created} = await openOrCreateAuthority(caDir);
  const caCopy = await copyOfAuthority(authority, caFile, overwrite);
  const issued = await issueCertificate(authority, options);
  await writeFilesTogether(
    [
      {path: keyFile, data: issued.privateKeyPem, mode: 0o600},
      {path: certificateFile, data: issued.certificatePem, mode: 0o644},
    ],
    overwrite,
  );
  if (caCopy !== undefined) await writeFilesTogether([caCopy], true);
  return {certificateFile, keyFile, caFile, caDir, createdAuthority: created, issued};
}

/** Opens the authority of a folder, or makes one where there is none; of two callers at once, one makes it. */
export async function openOrCreateAuthority(folder: string): Promise<{authority: Authority; created: boolean}> {
  try {
    return {authority: await openAuthority(folder), created: false};
  } catch (error) {
    if (codeOf(error) === 'CA_INCOMPLETE') return {authority: await openWhenWritten(folder), created: false};
    if (codeOf(error) !== 'CA_NOT_FOUND') throw error;
  }
  try {
    return {authority: await createAuthority(folder), created: true};
  } catch (error) {
    if (codeOf(error) !== 'FILE_EXISTS') throw error;
  }
  return {authority: await openWhenWritten(folder), created: false};
}

/** Another run has written the key; its certificate follows within milliseconds, or that run has died. */
async function openWhenWritten(folder: string): Promise<Authority> {
  for (let attempt = 0; attempt < 40; attempt++) {
    if (await exists(join(folder, 'ca.crt'))) break;
    await new Promise((done) => setTimeout(done, 25));
  }
  return openAuthority(folder);
}

/** The authority's certificate as a file beside the others; undefined when it is there already. */
async function copyOfAuthority(authority: Authority, path: string, overwrite: boolean): Promise<NewFile | undefined> {
  if (resolve(path) === resolve(authority.certificateFile)) return undefined;
  if (await exists(path)) {
    if ((await readTextFile(path)).trim() === authority.certificatePem.trim()) return undefined;
    if (!overwrite) throw differs(path, dirname(authority.certificateFile));
  }
  return {path, data: authority.certificatePem, mode: 0o644};
}

function differs(path: string, caDir: string): PaynetError {
  return new PaynetError('CA_DIFFERS', `${path} belongs to another authority than the one of ${caDir}.`, {
    hint: 'Choose another folder with --out, name its authority with --ca-dir, or replace the file with --force.',
  });
}

async function refuseExisting(path: string): Promise<void> {
  if (!(await exists(path))) return;
  throw new PaynetError('FILE_EXISTS', `${path} exists already; nothing was written.`, {
    hint: 'Use --force to replace it, or choose another folder.',
  });
}
