import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Block {
  language: string;
  text: string;
}

function blocksOf(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', code = '']) => ({language, text: code}));
}

const blocks = blocksOf('README.md');
const commands = blocks.filter(({language}) => language === 'sh').flatMap(({text}) => text.trim().split('\n'));

/** The file that a block is, by its first line: `# config.yaml`, `// server.ts`. */
const fileOf = (name: string): string =>
  blocks.find(({text}) => text.startsWith(`# ${name}\n`) || text.startsWith(`// ${name}\n`))?.text ?? '';

describe('README.md and README.zh-CN.md', () => {
  it('show the same commands, files and code', () => {
    expect(blocksOf('README.zh-CN.md')).toEqual(blocks);
  });

  it('have the same headings in number and depth', () => {
    const depths = (file: string): string[] =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/^(#+) /gm)].map(([, marks = '']) => marks);
    expect(depths('README.zh-CN.md')).toEqual(depths('README.md'));
  });
});

describe('the commands of the README', () => {
  let dir = '';
  const running: ChildProcess[] = [];
  const env: NodeJS.ProcessEnv = {...process.env, NO_COLOR: '1'};
  let link = {port: 0};
  let observe = {port: 0};
  let api = {port: 0};

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'paynet-readme-'));
    mkdirSync(join(dir, 'bin'));
    symlinkSync(join(root, 'bin', 'run.js'), join(dir, 'bin', 'paynetctl'));
    // Contexts are saved there.
    env.XDG_CONFIG_HOME = join(dir, 'config');
    env.PATH = `${join(dir, 'bin')}:${process.env.PATH}`;
    for (const name of ['config.yaml', 'device.yaml']) writeFileSync(join(dir, name), fileOf(name));
  });
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(dir, {recursive: true, force: true});
  });

  /** Runs a line to its end, its ports replaced by those of the server that is running. */
  function toTheEnd(line: string, cwd = dir): {status: number | null; stdout: string; stderr: string} {
    const command = line
      .replaceAll('8443', String(link.port))
      .replaceAll('9090', String(observe.port))
      .replaceAll('7055', String(api.port));
    return spawnSync('bash', ['-c', command], {
      cwd,
      env: {...env, PAYNET_CLIENT_ADDR: `127.0.0.1:${link.port}`},
      encoding: 'utf8',
      timeout: 60_000,
    });
  }

  /** Starts a server as the README does, on free ports, and waits until it listens. */
  async function serve(line: string): Promise<ChildProcess> {
    const child = spawn('bash', ['-c', `${line.replace('paynetctl', 'exec paynetctl')} --json`], {
      cwd: dir,
      env: {
        ...env,
        PAYNET_SERVER_ADDR: '127.0.0.1:0',
        PAYNET_OBSERVE_ADDR: '127.0.0.1:0',
        PAYNET_API_ADDR: '127.0.0.1:0',
        PAYNET_SERVER_DRAIN_TIMEOUT: '100ms',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    running.push(child);
    const [first] = (await once(createInterface({input: child.stdout!}), 'line')) as [string];
    ({address: link, observe, api} = JSON.parse(first));
    return child;
  }

  async function end(child: ChildProcess): Promise<number | null> {
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  it.each(commands.filter((line) => line.startsWith('npm ')))('%s', (line) => {
    if (line === 'npm test') return expect(readFileSync(join(root, 'package.json'), 'utf8')).toContain('"test":');
    const {status, stdout} = toTheEnd(`${line} --dir ${join(dir, 'quickstart')}`, root);
    expect(stdout).toMatch(/CoinAck .*COIN_DONE/);
    expect(status).toBe(0);
  });

  it.each(commands.filter((line) => /^paynetctl (tls|frame|--version|serve .*--check)/.test(line)))('%s', (line) => {
    const {status, stdout, stderr} = toTheEnd(line);
    expect(`${status} ${stderr.match(/Error.*/)?.[0] ?? ''}`).toBe('0 ');
    expect(stdout).not.toBe('');
  });

  it('paynetctl doctor --json', () => {
    expect(commands).toContain('paynetctl doctor --json');
    // What it finds depends on the machine; that it says so, and with which code, does not.
    const {status, stdout} = toTheEnd('paynetctl doctor --json');
    expect(status).toBe(JSON.parse(stdout).ok ? 0 : 1);
  });

  it('serve, and everything that speaks to it', async () => {
    expect(commands).toContain('paynetctl serve -c config.yaml');
    const server = await serve('paynetctl serve -c config.yaml');
    const simulate = commands.find((line) => line.startsWith('paynetctl simulate device')) ?? '';
    const device = toTheEnd(simulate.replace('--for 10s', '--for 2s'));
    expect(device.stdout).toContain('online');
    expect(device.status).toBe(0);
    expect(toTheEnd(commands.find((line) => line.endsWith('/readyz')) ?? '').stdout).toContain('"ready":true');
    expect(toTheEnd(commands.find((line) => line.endsWith('/metrics')) ?? '').stdout).toContain(
      'paynet_logins_total{result="ok"} 1',
    );
    const byHand = toTheEnd(commands.find((line) => line.includes('openssl s_client')) ?? '');
    expect(byHand.stdout).toContain('Pong');
    expect(await end(server)).toBe(0);
  });

  /** Starts a command that stays up, and gives its lines. */
  function start(line: string): AsyncIterableIterator<string> {
    const child = spawn('bash', ['-c', line.replace('paynetctl', 'exec paynetctl')], {
      cwd: dir,
      env: {...env, PAYNET_CLIENT_ADDR: `127.0.0.1:${link.port}`},
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    running.push(child);
    return createInterface({input: child.stdout!})[Symbol.asyncIterator]();
  }

  async function until(lines: AsyncIterableIterator<string>, what: string): Promise<string> {
    // Not a loop over them: leaving it would end them.
    for (;;) {
      const {value, done} = await lines.next();
      if (done === true) throw new Error(`no line with "${what}"`);
      if (value.includes(what)) return value;
    }
  }

  /** What stands in the README from a line on, as many lines. */
  function linesFrom(first: string, count: number): string[] {
    const at = commands.findIndex((line) => line.startsWith(first));
    expect(at).toBeGreaterThan(0);
    return commands.slice(at, at + count);
  }

  it('orders over HTTP, by command and by curl, and the webhooks of both', async () => {
    const [secret = '', receive = '', serveLine = ''] = linesFrom('openssl rand', 3);
    expect(toTheEnd(secret).status).toBe(0);
    const received = start(receive.replace('127.0.0.1:9000', '127.0.0.1:0'));
    const {port} = new URL((await until(received, 'listening')).match(/http:\S+/)?.[0] ?? '');
    const server = await serve(serveLine.replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`));
    const simulate = commands.find((line) => line.startsWith('paynetctl simulate device')) ?? '';
    await until(start(simulate.replace(' --for 10s', '')), ' online ');

    for (const line of linesFrom('paynetctl apikey create', 6)) {
      const {status, stdout, stderr} = toTheEnd(line);
      expect(`${line}: ${status} ${stderr.match(/Error.*/)?.[0] ?? ''}`).toBe(`${line}: 0 `);
      // What was saved is talk, not data.
      if (!line.includes(' context ')) expect(stdout).not.toBe('');
      if (line.includes('--wait')) expect(stdout).toContain('done');
    }
    for (const line of linesFrom("echo '{", 5)) {
      const {status, stdout} = toTheEnd(line);
      expect(status).toBe(0);
      if (!line.startsWith('curl')) continue;
      expect(JSON.parse(stdout)).toMatchObject({code: 0});
      if (line.endsWith('coin-orders')) await until(received, 'o-002:3');
      else expect(stdout).toContain('order.completed');
    }
    expect(await end(server)).toBe(0);
  });

  it('serve with another allocator', async () => {
    const line = commands.find((command) => command.startsWith('LD_PRELOAD')) ?? '';
    expect(line).not.toBe('');
    expect(await end(await serve(line))).toBe(0);
  });

  it('every command is among these', () => {
    const known =
      /^(npm |paynetctl (tls|frame|--version|serve|doctor|simulate|apikey|context|device|order|stats)|curl |echo |openssl |PAYNET_|\(printf|LD_PRELOAD)/;
    expect(commands.filter((line) => !known.test(line))).toEqual([]);
  });

  /** The example says nothing of it: it is tried until somebody is there. */
  async function untilListening(port: number): Promise<void> {
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      const isThere = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isThere) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('the SDK examples compile and pay out an order', async () => {
    // Inside the project, so that `paynetctl` is this package.
    const sdk = join(root, 'test-results', `readme-${process.pid}`);
    mkdirSync(sdk, {recursive: true});
    try {
      const server = await serve('paynetctl serve -c config.yaml');
      const {port} = link;
      expect(await end(server)).toBe(0);
      for (const name of ['server.ts', 'device.ts']) {
        const code = fileOf(name).replaceAll("'certs/", `'${dir}/certs/`).replaceAll('8443', String(port));
        writeFileSync(join(sdk, name), code.replace("'device001.ledger'", `'${dir}/device001.ledger'`));
      }
      writeFileSync(
        join(sdk, 'tsconfig.json'),
        JSON.stringify({
          extends: '../../tsconfig.json',
          compilerOptions: {rootDir: '../..', noEmit: true},
          include: ['*.ts'],
        }),
      );
      const types = toTheEnd(`node ${join(root, 'node_modules/typescript/bin/tsc')} -p ${sdk}`);
      expect(types.stdout).toBe('');
      const start = (name: string): ChildProcess => {
        const child = spawn(process.execPath, ['--import', 'tsx', join(sdk, name)], {
          cwd: root,
          env,
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        running.push(child);
        return child;
      };
      const lines = createInterface({input: start('server.ts').stdout!});
      // A device that finds nobody comes again later and later.
      await untilListening(port);
      start('device.ts');
      expect((await once(lines, 'line')) as [string]).toEqual(['o-001: done']);
    } finally {
      for (const child of running) child.kill('SIGKILL');
      rmSync(sdk, {recursive: true, force: true});
    }
  });
});
