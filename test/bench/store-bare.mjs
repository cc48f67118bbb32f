// The reference's thread that writes: everything that waits is one transaction and one sync.
import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads';
import {openDatabase} from './commits.mjs';

const db = openDatabase(workerData);
const begin = db.prepare('BEGIN IMMEDIATE');
const commit = db.prepare('COMMIT');
const statements = {
  order: db.prepare("INSERT INTO orders (id, device, state, payload, at) VALUES (?, ?, 'sent', ?, ?)"),
  ack: db.prepare("UPDATE orders SET state = 'done', at = ? WHERE id = ?"),
};

parentPort.on('message', (first) => {
  const ids = [];
  begin.run();
  for (let jobs = first; jobs !== undefined; jobs = receiveMessageOnPort(parentPort)?.message) {
    for (let at = 0; at < jobs.length; at += 3) {
      statements[jobs[at + 1]].run(jobs[at + 2]);
      ids.push(jobs[at]);
    }
  }
  commit.run();
  parentPort.postMessage(ids);
});
