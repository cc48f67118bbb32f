// CPU profiles of a server's threads, between two moments.
import {Session} from 'node:inspector/promises';

let session;
let workers;

/** Begins to profile the main thread and, from its start on, every worker. */
export async function startProfile() {
  session = new Session();
  session.connect();
  workers = new Map();
  session.on('NodeWorker.attachedToWorker', ({params}) => {
    const {sessionId, workerInfo} = params;
    workers.set(sessionId, {title: workerInfo.title, next: 0, pending: new Map()});
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({params}) => {
    const {id, result} = JSON.parse(params.message);
    workers.get(params.sessionId)?.pending.get(id)?.(result);
  });
  await session.post('NodeWorker.enable', {waitForDebuggerOnStart: false});
  const all = [(method) => session.post(method), ...[...workers.keys()].map(postTo)];
  await Promise.all(all.map((post) => post('Profiler.enable')));
  await Promise.all(all.map((post) => post('Profiler.start')));
}

/** Resolves with the profiles by thread. */
export async function stopProfile() {
  const main = await session.post('Profiler.stop');
  const profiles = {main: main.profile};
  for (const sessionId of workers.keys()) {
    profiles[`worker-${sessionId}`] = (await postTo(sessionId)('Profiler.stop')).profile;
  }
  await session.post('NodeWorker.disable');
  session.disconnect();
  return profiles;
}

function postTo(sessionId) {
  return (method) => {
    const worker = workers.get(sessionId);
    const id = ++worker.next;
    const answered = new Promise((resolve) => worker.pending.set(id, resolve));
    return session
      .post('NodeWorker.sendMessageToWorker', {sessionId, message: JSON.stringify({id, method})})
      .then(() => answered);
  };
}
