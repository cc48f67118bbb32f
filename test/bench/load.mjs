// A load generator: holds connections of many devices and does with them what it is told.
import {readFileSync} from 'node:fs';
import {answerCommands} from './answer.mjs';
import {connect} from './connection.mjs';
import {deviceContexts} from './devices.mjs';
import {each} from './each.mjs';
import {frameOf} from './frames.mjs';
import {greet} from './greet.mjs';
import {cpu} from './process-figures.mjs';
import {storm} from './storm.mjs';

const {dir, caFile} = JSON.parse(process.argv[2]);
const contextOf = deviceContexts(dir, readFileSync(caFile, 'utf8'));
/** Open connections by the server they go to. */
const open = {bare: [], product: []};

async function openDevices({server, port, from, count, parallel = 32, keepSession = false}) {
  await each(from, count, parallel, async (device) => {
    const connection = await connect({port, device, context: contextOf(device), keepSession});
    await greet(connection, server);
    await connection.exchange(frameOf('ping', server).bytes);
    open[server].push(connection);
  });
}

async function closeDevices({server}) {
  await Promise.all(open[server].splice(0).map((connection) => connection.close()));
}

/** Every device of a server sends a frame, waits for the answer, sends the next, for `ms`. */
function pingPong({server, kind, ms}) {
  const {bytes, answered} = frameOf(kind, server);
  const connections = open[server];
  return timed(ms, (running, done) => {
    let waiting = connections.length;
    let roundTrips = 0;
    const replied = (connection) => {
      roundTrips++;
      if (running()) connection.ask(bytes, answered, replied);
      else if (--waiting === 0) done({roundTrips});
    };
    for (const connection of connections) connection.ask(bytes, answered, replied);
  });
}

/** One device sends records of `frames` frames, `ahead` of them before the first is answered. */
function burst({server, kind, frames, ahead, ms}) {
  const one = frameOf(kind, server);
  const bytes = Buffer.concat(Array(frames).fill(one.bytes));
  const answered = one.answered * frames;
  const connection = open[server][0];
  return timed(ms, (running, done) => {
    let sent = 0;
    let received = 0;
    let writing = false;
    // The next record only once the last is written: two that wait would become one.
    const send = () => {
      if (writing || !running() || sent - Math.floor(received / answered) >= ahead) return;
      writing = true;
      sent++;
      connection.socket.write(bytes, () => {
        writing = false;
        send();
      });
    };
    connection.received = (size) => {
      received += size;
      if (!running() && received === sent * answered) {
        delete connection.received;
        done({roundTrips: sent * frames, records: sent});
      } else send();
    };
    send();
  });
}

/** All devices together send `perSecond` heartbeats, evenly, for `ms`. */
function beat({server, perSecond, ms}) {
  const {bytes, answered} = frameOf('ping', server);
  const connections = open[server];
  const began = performance.now();
  return timed(ms, (running, done) => {
    let sent = 0;
    let answers = 0;
    const replied = () => {
      answers++;
    };
    const timer = setInterval(() => {
      const due = running() ? Math.floor(((performance.now() - began) * perSecond) / 1000) : sent;
      for (; sent < due; sent++) connections[sent % connections.length].ask(bytes, answered, replied);
      if (running() || answers < sent) return;
      clearInterval(timer);
      done({roundTrips: answers});
    }, 1);
  });
}

async function timed(ms, run) {
  let over = false;
  const timer = setTimeout(() => {
    over = true;
  }, ms);
  const began = performance.now();
  const result = await new Promise((resolve) => run(() => !over, resolve));
  clearTimeout(timer);
  return {...result, ms: performance.now() - began};
}

const sessions = new Map();
let device = 0;

/** Connects, exchanges one frame each way and closes, `count` times. With `resumed` each takes up an older session. */
async function handshakes({server, port, count, parallel, devices, resumed, hello}) {
  const frame = frameOf('ping', server).bytes;
  if (resumed) {
    for (let number = 0; number < devices; number++) {
      if (sessions.has(`${port} ${number}`)) continue;
      const connection = await connect({port, device: number, context: contextOf(number), keepSession: true});
      await connection.exchange(frame);
      await connection.close();
      sessions.set(`${port} ${number}`, connection.session);
    }
  }
  await each(0, count, parallel, async () => {
    const number = device++ % devices;
    const session = resumed ? sessions.get(`${port} ${number}`) : undefined;
    const connection = await connect({port, device: number, context: contextOf(number), session});
    if (connection.socket.isSessionReused() !== resumed) throw new Error(`resumed: ${!resumed}, expected ${resumed}`);
    if (hello === 'login') await greet(connection, server);
    else await connection.exchange(frame);
    await connection.close();
  });
  return {count};
}

answerCommands({
  cpu,
  openDevices,
  closeDevices,
  pingPong,
  burst,
  beat,
  handshakes,
  storm: (order) => storm(order, open.product, contextOf, (connection) => greet(connection, 'product')),
});
