import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {expect, it, onTestFinished} from 'vitest';
import {commandById, enqueueCommand, type NewCommand} from '../../src/lib/outbound/index.js';
import {sqliteTarget} from '../orders/store.js';
import {openQueue, QueueBench} from './bench.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const PROGRAM = fileURLToPath(new URL('./sending-process.ts', import.meta.url));

it('a server that is killed has noted every attempt before it wrote; another takes over, and starts nothing twice', async () => {
  const target = sqliteTarget();
  if (target.engine !== 'sqlite') throw new Error('a file is needed');
  const at = Date.now();
  const rest = {orderNo: null, payload: {port: 1}, priority: 1, at};
  const commands: NewCommand[] = [
    {...rest, id: 'stop', deviceId: 'D1', kind: 'stopCharge', expiresAt: null},
    {...rest, id: 'behind', deviceId: 'D1', kind: 'queryPort', priority: 5, expiresAt: null},
    {...rest, id: 'start', deviceId: 'D2', kind: 'startCharge', expiresAt: at + 60_000},
  ];
  const before = await openQueue(target);
  for (const command of commands) await before.run(enqueueCommand, command);
  await before.close();

  const child = spawn(process.execPath, ['--import', TSX, PROGRAM, target.path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines: string[] = [];
  for await (const line of createInterface({input: child.stdout})) {
    lines.push(line);
    if (lines.length === 2) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(lines.toSorted()).toEqual(['start', 'stop']);

  const after = await openQueue(target);
  const rows = await Promise.all(commands.map(({id}) => after.readFirst(commandById, {id})));
  await after.close();
  expect(rows.map((row) => [row?.state, row?.attempts, row?.lease_owner])).toEqual([
    ['sent', 1, 'killed'],
    ['waiting', 0, null],
    ['sent', 1, 'killed'],
  ]);
  const until = Math.max(...rows.map((row) => row?.lease_until ?? 0));
  const bench = await QueueBench.start(target, until - 2000);
  await bench.ack();
  expect(bench.ids).toEqual(['behind']);
  await bench.pass(3);
  await bench.ack();
  expect([bench.ids, await bench.stored('stop'), await bench.stored('start')]).toEqual([
    ['behind', 'stop'],
    ['done', 2],
    ['dead', 1],
  ]);
});
