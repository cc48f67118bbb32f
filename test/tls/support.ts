import {execFileSync} from 'node:child_process';
import type {X509Certificate} from 'node:crypto';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {
  type Authority,
  type CertificateRequest,
  createAuthority,
  generateKeys,
  type KeyType,
  signCertificate,
} from '../../src/lib/tls/index.js';

export const DAY = 86_400_000;

/** A folder that goes with the test. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paynet-tls-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

/** Runs openssl and returns what it printed; it throws, with openssl's words, when openssl fails. */
export function openssl(...args: string[]): string {
  return execFileSync('openssl', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
}

export async function newAuthority(folder: string, name = 'ca'): Promise<Authority> {
  return createAuthority(join(folder, name));
}

/** A certificate by no policy at all, for what must be refused. */
export async function forge(
  authority: Authority,
  request: Partial<CertificateRequest> & {keyType?: KeyType} = {},
): Promise<{certificate: X509Certificate; cert: string; key: string}> {
  const {keyType = 'p256', ...rest} = request;
  const keys = await generateKeys(keyType);
  const now = Date.now();
  const certificate = await signCertificate({
    subject: [{CN: 'device001'}],
    publicKey: keys.publicKey,
    issuer: authority,
    signingKey: authority.key,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + DAY),
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['clientAuth'],
    names: [{type: 'dns', value: 'device001'}],
    ...rest,
  });
  const key = keys.privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
  return {certificate, cert: certificate.toString(), key};
}

/** What openssl's own small authority needs to write revocation lists with this authority's key. */
async function database(folder: string, authority: Authority, revoked: readonly string[]): Promise<string> {
  const index = revoked.map((serial) => `R\t350101000000Z\t250101000000Z\t${serial}\tunknown\t/CN=x\n`).join('');
  const prefix = join(folder, `db${Math.random().toString(36).slice(2)}`);
  await writeFile(`${prefix}.txt`, index);
  await writeFile(`${prefix}.number`, '1000\n');
  const config = `[ca]
default_ca = d
[d]
database = ${prefix}.txt
crlnumber = ${prefix}.number
certificate = ${authority.certificateFile}
private_key = ${authority.keyFile}
default_md = sha256
crl_extensions = e
[e]
authorityKeyIdentifier = keyid
`;
  await writeFile(`${prefix}.cnf`, config);
  return `${prefix}.cnf`;
}

/** A revocation list made by openssl; in force for a week unless openssl's own arguments say otherwise. */
export async function makeCrl(
  folder: string,
  authority: Authority,
  revoked: readonly string[],
  args: readonly string[] = ['-crldays', '7'],
): Promise<string> {
  const config = await database(folder, authority, revoked);
  const file = `${config}.crl`;
  openssl('ca', '-gencrl', '-config', config, '-out', file, ...args);
  return readFile(file, 'utf8');
}
