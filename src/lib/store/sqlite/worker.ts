import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads';
import type {Database} from 'better-sqlite3';
import {messageOf, PaynetError} from '../../errors.js';
import {migrations} from '../migrations/index.js';
import {type AnyOperation, loadOperations, unknownOperation} from '../operation.js';
import {openWriter} from './connection.js';
import {explain} from './errors.js';
import {type Answer, GroupCommit, type Job} from './group-commit.js';
import {asGuest, type Guest} from './guest.js';
import {type FromWriter, type ToWriter, toPlain, type WriterOptions} from './messages.js';
import {examine, migrate, requireSchema} from './migrate.js';

/** A bound for how long one operation waits for the others of its group. */
const GROUP_LIMIT = 500;
/** A guest holds up the process that serves. */
const GUEST_GROUP_LIMIT = 20;

if (parentPort === null) throw new Error('this module is a thread of the store');
const port = parentPort;

/** The thread that owns the writing connection. */
async function main({place, modules, guest}: WriterOptions): Promise<void> {
  let db: Database | undefined;
  try {
    // Whether the file is whole is for the process that holds it to know: looking takes long where there is much.
    if (!guest) examine(place, migrations);
    const operations = await loadOperations(modules);
    db = openWriter(place);
    if (guest) requireSchema(db, place, migrations);
    else migrate(db, migrations);
    serve(db, operations, guest ? asGuest(db, place) : undefined);
    tell({kind: 'started', operations: [...operations.keys()]});
  } catch (error) {
    db?.close();
    tell({kind: 'refused', error: toPlain(explain(error))});
    port.close();
  }
}

function serve(db: Database, operations: ReadonlyMap<string, AnyOperation>, guest: Guest | undefined): void {
  const writer = new GroupCommit(db, guest?.begin);
  const limit = guest === undefined ? GROUP_LIMIT : GUEST_GROUP_LIMIT;
  const queue: Job[] = [];
  let working = false;
  let ending = false;

  const take = (message: ToWriter): void => {
    if (message === null) {
      ending = true;
      return;
    }
    for (let at = 0; at < message.length; at += 3) {
      const [id, name, args] = message.slice(at, at + 3) as [number, string, unknown];
      const operation = operations.get(name);
      if (operation === undefined) tell({kind: 'answers', answers: [id, 0, toPlain(unknownOperation(name))]});
      else queue.push({id, operation, args});
    }
  };

  const work = async (): Promise<void> => {
    for (;;) {
      // What came while the last group was committed is the next group.
      for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
        take(more.message as ToWriter);
      }
      if (queue.length === 0) break;
      const wasWhole = writer.broken === undefined;
      await guest?.pause();
      answer(await writer.commit(queue.splice(0, limit)));
      if (guest === undefined) writer.checkpoint();
      else guest.ended();
      if (wasWhole && writer.broken !== undefined) tell({kind: 'broken', error: toPlain(writer.broken)});
    }
    if (!ending) return;
    db.close();
    port.close();
  };

  port.on('message', (message: ToWriter) => {
    take(message);
    if (working) return;
    working = true;
    // A rejection is a defect; it ends the thread, which the main thread sees.
    void work().finally(() => {
      working = false;
    });
  });
}

function answer(answers: readonly Answer[]): void {
  const flat: unknown[] = [];
  for (const one of answers) {
    if ('error' in one) flat.push(one.id, 0, toPlain(one.error));
    else flat.push(one.id, 1, one.value);
  }
  try {
    tell({kind: 'answers', answers: flat});
  } catch {
    for (const one of answers) answerAlone(one);
  }
}

/** A result that cannot leave the thread must not keep the others back. */
function answerAlone(one: Answer): void {
  try {
    tell({kind: 'answers', answers: 'error' in one ? [one.id, 0, toPlain(one.error)] : [one.id, 1, one.value]});
  } catch (error) {
    const message = `the operation is stored, but its result is no plain data: ${messageOf(error)}`;
    tell({kind: 'answers', answers: [one.id, 0, toPlain(new PaynetError('STORE_OPERATIONS', message))]});
  }
}

function tell(message: FromWriter): void {
  port.postMessage(message);
}

await main(workerData as WriterOptions);
