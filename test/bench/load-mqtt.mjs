// A load generator for MQTT brokers: one caller, and devices that answer each command, all with QoS 1.
import {readFileSync} from 'node:fs';
import {answerCommands} from './answer.mjs';
import {addressOf} from './devices.mjs';
import {loadPackage} from './packages.mjs';

const {dir, caFile} = JSON.parse(process.argv[2]);
const {connectAsync} = loadPackage('mqtt');
const ca = readFileSync(caFile);
const QOS = {qos: 1};
const certificates = JSON.parse(readFileSync(`${dir}/devices-0.json`, 'utf8'));
let caller;
let devices = 0;
/** Who waits for the answer of a device. */
const waiting = new Map();

function open(port, device, clientId) {
  const [cert, key] = certificates[device];
  return connectAsync({
    protocol: 'mqtts',
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    localAddress: addressOf(device),
    ca,
    cert,
    key,
    clientId,
    keepalive: 0,
  });
}

async function openDevices({port, count}) {
  for (let device = 0; device < count; device++) {
    const client = await open(port, device, `device${device}`);
    client.on('message', (_, payload) => client.publish(`ack/${device}`, payload, QOS));
    await client.subscribeAsync(`command/${device}`, QOS);
  }
  devices = count;
  caller = await open(port, 0, 'caller');
  caller.on('message', (topic) => {
    const device = Number(topic.slice(topic.indexOf('/') + 1));
    waiting.get(device)?.();
    waiting.delete(device);
  });
  await caller.subscribeAsync('ack/+', QOS);
}

/** Every device is sent a command, answers, is sent the next, for `ms`. */
async function roundTrips({ms}) {
  const began = performance.now();
  const payload = JSON.stringify({order_no: 'order-20260101-0000000001', coins: 3, timeout_seconds: 60});
  let roundTrips = 0;
  await Promise.all(
    Array.from({length: devices}, async (_, device) => {
      while (performance.now() - began < ms) {
        const answered = new Promise((resolve) => waiting.set(device, resolve));
        await caller.publishAsync(`command/${device}`, payload, QOS);
        await answered;
        roundTrips++;
      }
    }),
  );
  return {roundTrips};
}

answerCommands({openDevices, roundTrips});
