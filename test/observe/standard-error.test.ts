import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {text} from 'node:stream/consumers';
import {promisify} from 'node:util';
import {describe, expect, it, test} from 'vitest';

const run = promisify(execFile);

/** A program with a log, in a process of its own that may make no code at run time. */
function program(body: string, format = 'json'): string[] {
  const source = `
    import {createLog} from './src/lib/observe/index.js';
    const log = createLog({level: 'debug', format: '${format}'});
    ${body}`;
  return ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', source];
}

describe('the log on standard error', () => {
  test.each(['json', 'pretty', 'auto'])('works without code made at run time (%s)', async (format) => {
    const body = `log.child({a: 1}).info({token: 'hunter2', deep: {key: 'hunter2'}, err: new Error('x')}, 'hello');`;
    const {stdout, stderr} = await run(process.execPath, program(body, format));
    expect(stdout).toBe('');
    expect(stderr).toContain('hello');
    expect(stderr).toContain('[redacted]');
    expect(stderr).not.toContain('hunter2');
    expect(stderr.startsWith('{')).toBe(format !== 'pretty');
  });

  it('has no colours where there is no terminal', async () => {
    const env = {...process.env, FORCE_COLOR: '1'};
    const {stderr} = await run(process.execPath, program(`log.error({}, 'x');`, 'pretty'), {env});
    expect(stderr).not.toContain('\x1b');
  });

  it('is complete when the process exits in the next statement', async () => {
    const body = `for (let i = 0; i < 200; i++) log.info({i}, 'line'); process.exit(0);`;
    const {stderr} = await run(process.execPath, program(body));
    expect(stderr.trim().split('\n')).toHaveLength(200);
  });

  it('never holds up the program when nobody reads, and says what was lost', async () => {
    const body = `
      const many = 'x'.repeat(1000);
      for (let i = 0; i < 8000; i++) {
        log.info({many}, 'line');
        if (i % 100 === 0) await new Promise(setImmediate);
      }
      process.stdout.write('done');
      process.stdin.once('data', async () => {
        if (process.stderr.writableLength > 0) await new Promise((resolve) => process.stderr.once('drain', resolve));
        log.info({}, 'read again');
        // Not process.exit: what the pipe has no room for yet would be gone.
        process.stdin.destroy();
      });`;
    const child = spawn(process.execPath, program(body));
    const [output] = await once(child.stdout, 'data');
    expect(String(output)).toBe('done');

    child.stdin.write('go on');
    const lines = (await text(child.stderr)).trim().split('\n');
    const [again, lost] = lines.splice(-2).map((line) => JSON.parse(line));
    expect(again.msg).toBe('read again');
    expect(lost).toMatchObject({level: 'warn', msg: 'lines of this log were lost: they could not be written'});
    expect(lost.lost).toBeGreaterThan(1000);
    expect(lines.length + lost.lost).toBe(8000);
  });

  it('goes on when standard error is closed', async () => {
    const body = `
      for (let i = 0; i < 100; i++) { log.info({i}, 'line'); await new Promise(setImmediate); }
      process.stdout.write('done');`;
    const child = spawn(process.execPath, program(body));
    child.stderr.destroy();
    expect(await text(child.stdout)).toBe('done');
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });

  it('goes on when the disk is full', async () => {
    const body = `for (let i = 0; i < 100; i++) log.info({i}, 'line'); process.stdout.write('done');`;
    const quoted = program(body).map((part) => `'${part.replaceAll("'", `'\\''`)}'`);
    const {stdout} = await run('sh', ['-c', `exec "$0" ${quoted.join(' ')} 2>/dev/full`, process.execPath]);
    expect(stdout).toBe('done');
  });
});
