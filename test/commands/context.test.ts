import {chmod, mkdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import type {CreatedKey} from '../../src/lib/api/index.js';
import {issueCertificate, openAuthority} from '../../src/lib/tls/index.js';
import {answering, envelope} from '../client/answering.js';
import {openSite, type Site} from '../client/site.js';
import {newAuthority} from '../tls/support.js';
import {type Operator, onTerminal, operator} from './operator.js';

let site: Site;
let key: CreatedKey;
const ends: (() => void | Promise<void>)[] = [];
beforeAll(async () => {
  site = await openSite((end) => ends.push(end), {limits: {failedAuth: {perSecond: 1000, burst: 1000}}});
  ({key} = site);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const newOperator = (...rest: [origin?: string, key?: CreatedKey]): Operator => operator(onTestFinished, ...rest);
const keyFile = (who: Operator, mode?: number): string =>
  who.write('key.json', JSON.stringify({id: key.id, key: key.key, hmac_secret: key.hmacSecret, scope: 'admin'}), mode);
const fileOf = ({folder}: Operator): string => join(folder, 'config/paynetctl/contexts.json');

describe('contexts', () => {
  it('are kept for nobody else to read, and used', async () => {
    const who = newOperator();
    const added = await who.run(['context', 'add', 'shop', '--server', site.origin, '--key-file', keyFile(who)]);
    expect(added).toMatchObject({code: 0, stdout: ''});
    expect(added.stderr).toContain('Added context shop');
    expect((await stat(fileOf(who))).mode & 0o777).toBe(0o600);
    expect((await stat(join(fileOf(who), '..'))).mode & 0o777).toBe(0o700);
    expect(await who.json('device', 'show', 'PB-0001')).toMatchObject({device_id: 'PB-0001'});
  });

  it('are added, chosen, listed and removed', async () => {
    const who = newOperator();
    const file = keyFile(who);
    expect(await who.json('context', 'add', 'a', '--server', site.origin, '--key-file', file)).toEqual({
      name: 'a',
      server: site.origin,
      current: true,
    });
    await who.json('context', 'add', 'b', '--server', 'https://b.example.com/');
    expect(await who.json('context', 'use', 'b')).toEqual({name: 'b', server: 'https://b.example.com'});
    const list = await who.run(['context', 'list']);
    expect(list.stdout).toBe(
      [
        'IN USE  NAME  SERVER                  KEY           OWN CA',
        `        a     ${site.origin.padEnd(22)}  ${key.id}  no`,
        '*       b     https://b.example.com   -             no',
        '',
      ].join('\n'),
    );
    const json = await who.run(['context', 'list', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({current: 'b', contexts: [{name: 'a', key_id: key.id}, {name: 'b'}]});
    expect(json.stdout + list.stdout).not.toContain(key.hmacSecret);
    expect(json.stdout + list.stdout).not.toContain(key.key);
    expect(await who.json('context', 'remove', 'b')).toEqual({name: 'b'});
    expect(JSON.parse(await readFile(fileOf(who), 'utf8'))).toMatchObject({current: null, contexts: [{name: 'a'}]});
    const none = await who.run(['stats']);
    expect(none).toMatchObject({code: 2, stdout: ''});
    expect(none.stderr).toContain('paynetctl context use NAME');
    const chosen = await who.run(['stats', '--json'], {env: {PAYNETCTL_CONTEXT: 'a'}});
    expect(JSON.parse(chosen.stdout)).toMatchObject({version: '1.2.3'});
  });

  it('say so when there are none', async () => {
    const {code, stdout, stderr} = await newOperator().run(['context', 'list']);
    expect({code, stdout, stderr}).toEqual({code: 0, stdout: '', stderr: 'No contexts.\n'});
  });

  const wrong: [string, string[], string][] = [
    ['a name twice', ['context', 'add', 'known', '--server', 'http://x'], 'already'],
    ['a strange name', ['context', 'add', '../x', '--server', 'http://x'], 'cannot be the name'],
    ['no server', ['context', 'add', 'x'], 'server'],
    ['a server that is no URL', ['context', 'add', 'x', '--server', 'localhost:7055'], 'http or https URL'],
    ['a path behind the server', ['context', 'add', 'x', '--server', 'http://x/api'], 'no path'],
    ['an unknown one to use', ['context', 'use', 'nobody'], 'Known contexts: known'],
    ['an unknown one to remove', ['context', 'remove', 'nobody'], 'Known contexts: known'],
    ['an unknown one by flag', ['stats', '--context', 'nobody'], 'Known contexts: known'],
  ];
  it.each(wrong)('refuse %s', async (_, args, why) => {
    const who = newOperator();
    await who.json('context', 'add', 'known', '--server', site.origin);
    const {code, stderr} = await who.run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it('are refused when others can read them, or when they are none', async () => {
    const who = newOperator();
    await who.json('context', 'add', 'a', '--server', site.origin, '--key-file', keyFile(who));
    await chmod(fileOf(who), 0o640);
    const open = await who.run(['stats']);
    expect(open.code).toBe(1);
    expect(open.stderr).toContain(`chmod 600 ${fileOf(who)}`);
    for (const text of ['{', '[]', '{"contexts":[{"name":"__proto__","server":"x"}]}', '{"contexts":{}}']) {
      await writeFile(fileOf(who), text);
      await chmod(fileOf(who), 0o600);
      const {code, stderr} = await who.run(['stats']);
      expect(code).toBe(1);
      expect(stderr).toContain('does not hold contexts');
    }
  });

  it('close their folder when it was open', async () => {
    const who = newOperator();
    const folder = join(fileOf(who), '..');
    await mkdir(folder, {recursive: true, mode: 0o755});
    await who.json('context', 'add', 'a', '--server', site.origin);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });
});

describe('the key', () => {
  it.each([
    ['JSON of a file', (made: CreatedKey) => JSON.stringify({key: made.key, hmac_secret: made.hmacSecret, name: 'x'})],
    ['two lines of a file', (made: CreatedKey) => `${made.key}\n${made.hmacSecret}\n`],
  ])('comes from %s, or from standard input', async (_, textOf) => {
    const who = newOperator(site.origin);
    const file = who.write('key', textOf(key));
    expect(await who.json('stats', '--key-file', file)).toMatchObject({version: '1.2.3'});
    const piped = await who.run(['stats', '--json', '--key-file', '-'], {input: textOf(key)});
    expect(JSON.parse(piped.stdout)).toMatchObject({version: '1.2.3'});
  });

  it('is refused in a file that others can read', async () => {
    const who = newOperator(site.origin);
    const file = keyFile(who, 0o644);
    const {code, stderr} = await who.run(['stats', '--key-file', file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`Run: chmod 600 ${file}`);
  });

  it.each([
    ['nothing', ''],
    ['three lines', 'a\nb\nc'],
    ['broken JSON', '{"key": "pnk_hunter2"'],
    ['another JSON', '{"key": 1}'],
    ['blanks', 'pnk_hunter2 x'],
  ])('is not taken from %s, nor repeated', async (_, text) => {
    const {code, stderr} = await newOperator(site.origin).run(['stats', '--key-file', '-'], {input: text});
    expect(code).toBe(2);
    expect(stderr).toContain('holds no API key');
    expect(stderr).not.toContain('hunter2');
  });

  it('is asked for on a terminal, and not shown there', async () => {
    const who = newOperator(site.origin);
    const {code, screen} = await onTerminal(['stats'], {
      env: who.env,
      answers: [
        ['API key', key.key],
        ['Its secret', key.hmacSecret],
      ],
    });
    expect(screen).toContain('devices.known');
    expect(code).toBe(0);
    expect(screen).not.toContain(key.key.slice(-20));
    expect(screen).not.toContain(key.hmacSecret.slice(-20));
  });

  it('is asked for when a context is added on a terminal', async () => {
    const who = newOperator();
    const {code} = await onTerminal(['context', 'add', 'shop', '--server', site.origin], {
      env: who.env,
      answers: [
        ['API key', key.key],
        ['Its secret', key.hmacSecret],
      ],
    });
    expect(code).toBe(0);
    expect(await who.json('stats')).toMatchObject({version: '1.2.3'});
  });

  it('that is wrong, revoked, or has another secret says so', async () => {
    const revoked = await site.keyOf('read');
    await site.keys.revoke(revoked.id);
    const told = async (given: Pick<CreatedKey, 'key' | 'hmacSecret'>): Promise<Record<string, unknown>> => {
      const env = {PAYNETCTL_KEY: given.key, PAYNETCTL_SECRET: given.hmacSecret};
      const {code, stdout} = await newOperator(site.origin).run(['stats', '--json'], {env});
      expect(code).toBe(1);
      return JSON.parse(stdout).error;
    };
    expect(await told(revoked)).toMatchObject({code: 'UNAUTHORIZED', request_id: expect.any(String)});
    expect(await told({...key, key: 'pnk_unknown'})).toMatchObject({code: 'UNAUTHORIZED'});
    expect(await told({...key, hmacSecret: 'wrong'})).toMatchObject({code: 'SIGNATURE_INVALID'});
  });
});

describe('where and who', () => {
  it('are asked for by name when nothing says them', async () => {
    const where = await newOperator().run(['device', 'list']);
    expect(where).toMatchObject({code: 2, stdout: ''});
    expect(where.stderr).toContain('PAYNETCTL_SERVER');
    const who = await newOperator(site.origin).run(['device', 'list']);
    expect(who).toMatchObject({code: 2, stdout: ''});
    expect(who.stderr).toContain(`There is no API key for ${site.origin}`);
    expect(who.stderr).toContain('--key-file');
  });

  it('come from flags before the environment, and from that before the context in use', async () => {
    const names = ['flag', 'environment', 'context'] as const;
    const [flag, environment, context] = await Promise.all(
      names.map((name) => answering((_, response) => response.end(envelope({from: name})))),
    );
    const who = newOperator();
    await who.json('context', 'add', 'a', '--server', context!.origin, '--key-file', keyFile(who));
    const PAYNETCTL_SERVER = environment!.origin;
    const from = async (args: string[], env: NodeJS.ProcessEnv): Promise<unknown> => {
      const {stdout} = await who.run(['stats', '--json', ...args], {env: {PAYNETCTL_KEY: 'k', ...env}});
      return JSON.parse(stdout).from;
    };
    expect(await from(['--server', flag!.origin], {PAYNETCTL_SERVER})).toBe('flag');
    expect(await from([], {PAYNETCTL_SERVER})).toBe('environment');
    expect(await from([], {})).toBe('context');
    // Whoever names a context means it.
    expect(await from(['--context', 'a'], {PAYNETCTL_SERVER})).toBe('context');
    expect(context!.requests.map(({headers}) => headers['x-api-key'])).toEqual(['k', key.key]);
  });

  it('belong together: the key of a context goes to no other server', async () => {
    const other = await answering((_, response) => response.end(envelope({})));
    const who = newOperator();
    await who.json('context', 'add', 'a', '--server', site.origin, '--key-file', keyFile(who));
    for (const args of [
      ['--server', other.origin],
      ['--server', other.origin, '--context', 'a'],
    ]) {
      const {code, stderr} = await who.run(['stats', ...args]);
      expect(code).toBe(2);
      expect(stderr).toContain('The key of context a is for another server');
    }
    expect(other.requests).toEqual([]);
  });

  it('may be an https server of a private authority', async () => {
    const who = newOperator();
    await newAuthority(who.folder);
    const authority = await openAuthority(join(who.folder, 'ca'));
    const made = await issueCertificate(authority, {cn: 'localhost', usage: 'server', sans: ['127.0.0.1']});
    const tls = {cert: made.certificatePem, key: made.privateKeyPem};
    const {origin} = await answering((_, response) => response.end(envelope({safe: 1})), tls);
    const env = {PAYNETCTL_KEY: 'k', PAYNETCTL_SERVER: origin};
    const ca = join(who.folder, 'ca/ca.crt');
    const strange = await who.run(['stats'], {env});
    const none = await who.run(['stats', '--ca', who.write('empty.crt', 'nothing')], {env});
    expect(none).toMatchObject({code: 2, stderr: expect.stringContaining('holds no certificate')});
    expect(strange.code).toBe(1);
    expect(strange.stderr).toContain(`Name the authority of ${origin} with --ca.`);
    expect(await who.run(['stats', '--ca', ca], {env})).toMatchObject({code: 0, stdout: 'safe  1\n'});
    await who.json('context', 'add', 'a', '--server', origin, '--ca', ca);
    const kept = await who.run(['stats'], {env: {PAYNETCTL_KEY: 'k'}});
    expect(kept).toMatchObject({code: 0, stdout: 'safe  1\n'});
  });

  it('may be an unknown server: one sentence, no stack', async () => {
    const who = newOperator('http://nobody.invalid:7055', key);
    const {code, stdout, stderr} = await who.run(['stats']);
    expect({code, stdout}).toEqual({code: 1, stdout: ''});
    expect(stderr).toMatch(/^Error: The server cannot be reached: .*\n {2}Check that http:\/\/nobody\.invalid:7055/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('may be something else: nothing of it steers the terminal', async () => {
    const {origin} = await answering((request, response) => {
      if (request.url === '/api/v1/stats') response.writeHead(302, {location: 'http://evil'}).end();
      else response.writeHead(400).end(JSON.stringify({code: 1, error_code: 'BAD', message: '\u001b[2J\u202eevil'}));
    });
    const who = newOperator(origin, key);
    const redirect = await who.run(['stats']);
    expect(redirect.code).toBe(1);
    expect(redirect.stderr).toContain('to another address');
    const {code, stderr} = await who.run(['device', 'show', 'x']);
    expect(code).toBe(1);
    expect(stderr).toBe('Error: \\x1b[2J\\u{202e}evil\n');
  });
});
