import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {expect, it, onTestFinished} from 'vitest';
import {countEvents, eventsOfOrder} from '../../src/lib/events/index.js';
import {eventually, ok, open, send, startSink, tellOf, tempFolder} from './support.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const PROGRAM = fileURLToPath(new URL('./sending-process.ts', import.meta.url));

it('sends an event again, under the same id, when it was killed before it could note that it was accepted', async () => {
  const path = join(tempFolder(), 'paynet.db');
  const before = await open({engine: 'sqlite', path});
  await tellOf(before, ['A', 'B'], 3);
  await before.close();

  let killed = false;
  const sink = await startSink(async (response, one) => {
    // The receiver has it, and has done what it says; the sender will never know.
    if (one.id === 'A:2' && !killed) {
      killed = true;
      child.kill('SIGKILL');
      return;
    }
    ok(response, one);
  });
  const child = spawn(process.execPath, ['--import', TSX, PROGRAM, path, sink.url], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'exit');
  const count = sink.ids.length;
  expect(sink.ids).toContain('A:2');

  const store = await open({engine: 'sqlite', path});
  // What the killed one had taken is due again when its lease ends; the clock goes on to then.
  send(store, sink.url, {now: () => Date.now() + 31_000});
  await eventually(async () => (await countEvents(store)).waiting === 0);
  expect(sink.ids.slice(count).filter((id) => id.startsWith('A'))).toEqual(['A:2', 'A:3']);
  for (const order of ['A', 'B']) {
    const first = sink.ids.filter((id, index) => id.startsWith(order) && sink.ids.indexOf(id) === index);
    expect(first).toEqual([1, 2, 3].map((number) => `${order}:${number}`));
    expect((await eventsOfOrder(store, order, 0, 10)).map(({state}) => state)).toEqual(['pushed', 'pushed', 'pushed']);
  }
});
