import {fork} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {createAuthority, issueCertificate, openAuthority} from '../../src/lib/tls/index.js';
import {RawClient} from './raw-client.js';

interface Served {
  /** Whether code could be made out of strings in that process. */
  strings: string;
  /** The packages whose code it ran. */
  packages: string[];
}

/** Lets a process of its own serve one device, from the TLS handshake to the answer about an order, and end. */
async function serveOnce(...flags: string[]): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'paynet-process-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  await createAuthority(folder);
  const authority = await openAuthority(folder);
  const own = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
  const device = await issueCertificate(authority, {cn: 'device001', usage: 'device'});
  const coverage = join(folder, 'coverage');
  const child = fork(join(import.meta.dirname, 'serving-process.mjs'), {
    execArgv: flags,
    // What V8 writes of a process names every script that ran in it, whoever loaded it and how.
    env: {...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: coverage},
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let complaints = '';
  child.stderr?.on('data', (chunk) => {
    complaints += chunk;
  });
  const tls = {cert: own.certificatePem, key: own.privateKeyPem, client_ca: authority.certificatePem};
  const server = {addr: '127.0.0.1:0', drain_timeout: '50ms', tls};
  child.stdin?.write(`${JSON.stringify({server, observe: {addr: '127.0.0.1:0', log_format: 'json'}})}\n`);
  const [message] = await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error(complaints))),
  ]);
  const {port, strings} = message as {port: number; strings: string};
  const client = await RawClient.dial(port, {
    ca: authority.certificatePem,
    cert: device.certificatePem,
    key: device.privateKeyPem,
  });
  await client.login('device001');
  client.say('Ping', {timestamp: Date.now(), uptime: 1, signal: 0, ip: ''});
  await client.hear('Pong');
  client.say('QueryReq', {orderId: 'o-1'});
  expect(await client.hear('QueryRsp')).toMatchObject({orderId: 'o-1', code: 6});
  child.send('stop');
  await client.closed;
  expect(await exited, complaints).toEqual([0, null]);
  return {strings, packages: await packagesIn(coverage)};
}

async function packagesIn(coverage: string): Promise<string[]> {
  const urls: string[] = [];
  for (const file of await readdir(coverage)) {
    const {result} = JSON.parse(await readFile(join(coverage, file), 'utf8')) as {result: {url: string}[]};
    urls.push(...result.map(({url}) => url));
  }
  expect(urls.some((url) => url.endsWith('/dist/lib/server.js'))).toBe(true);
  const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

describe('a process that serves devices', () => {
  it('needs no code made out of strings', async () => {
    expect((await serveOnce('--disallow-code-generation-from-strings')).strings).toBe('refused');
  });

  it('runs the code of no package that is for tools', async () => {
    const {packages, strings} = await serveOnce();
    expect(strings).toBe('allowed');
    expect(packages).toContain('@bufbuild/protobuf');
    const forTools = /^(@?protobufjs|@peculiar|reflect-metadata|ink|react|@?inquirer|@oclif|chalk|ts-proto)(\/|$)/;
    expect(packages.filter((name) => forTools.test(name))).toEqual([]);
  });
});
