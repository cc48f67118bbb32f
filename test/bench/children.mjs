// Starts the measured servers and the load generators as processes of their own, and ends them, come what may.
import {spawn, spawnSync} from 'node:child_process';
import {closeSync, existsSync, openSync, readFileSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';

const here = import.meta.dirname;
const running = new Set();
const JEMALLOC = [
  '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
  '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2',
  '/usr/lib64/libjemalloc.so.2',
  '/usr/lib/libjemalloc.so.2',
];
export const MALLOC_CONF = 'narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0';

/** Whether processes can be tied to a CPU each: servers to the first, load to the second. */
export const pinned = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;

export const jemalloc = JEMALLOC.find((file) => existsSync(file));

/** Starts `script` of this folder; resolves with a function that sends it a command and with its end. */
export function startChild(script, {cpu, argument = {}, env = {}, dir, name}) {
  const log = join(dir, `${name}-${running.size}-${Date.now()}.log`);
  const fd = openSync(log, 'a', 0o600);
  const node = [process.execPath, join(here, script), JSON.stringify(argument)];
  const [command, ...args] = pinned && typeof cpu === 'number' ? ['taskset', '-c', String(cpu), ...node] : node;
  const child = spawn(command, args, {stdio: ['ignore', fd, fd, 'ipc'], env: {...process.env, ...env}});
  closeSync(fd);
  running.add(child);
  const pending = new Map();
  let next = 0;
  const ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('exit', (code, signal) => resolve(new Error(`${name} ended (${code ?? signal}): ${tail(log)}`)));
  });
  const ready = new Promise((resolve, reject) => {
    child.on('message', ({id, ready: isReady, result, error}) => {
      if (isReady) resolve();
      const waiting = pending.get(id);
      pending.delete(id);
      if (error !== undefined) waiting?.reject(new Error(`${name}: ${error}`));
      else waiting?.resolve(result);
    });
    void ended.then((error) => {
      running.delete(child);
      reject(error);
      for (const waiting of pending.values()) waiting.reject(error);
    });
  });
  const ask = (what, given) =>
    new Promise((resolve, reject) => {
      const id = ++next;
      pending.set(id, {resolve, reject});
      child.send({id, command: what, args: given}, (error) => error && reject(error));
    });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return ready.then(() => ({ask, stop, pid: child.pid}));
}

/** Ends whatever still runs; for the end of this process. */
export function stopChildren() {
  for (const child of running) child.kill('SIGKILL');
}

function tail(log) {
  return readFileSync(log, 'utf8').slice(-2000);
}
