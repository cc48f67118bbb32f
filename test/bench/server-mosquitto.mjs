// mosquitto over TLS, started and watched by a child of the bench: it ends with it.
import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {connect, createServer} from 'node:net';
import {setTimeout as wait} from 'node:timers/promises';
import {answerCommands} from './answer.mjs';

const {tls, dir} = JSON.parse(process.argv[2]);
const port = await freePort();
const file = `${dir}/mosquitto-${port}.conf`;
writeFileSync(
  file,
  `listener ${port} 127.0.0.1
cafile ${tls.client_ca}
certfile ${tls.cert}
keyfile ${tls.key}
require_certificate true
tls_version tlsv1.3
allow_anonymous true
persistence false
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
user root
`,
);
// It ends with this process, however this one ends.
const broker = spawn('setpriv', ['--pdeathsig', 'KILL', 'mosquitto', '-c', file], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
broker.on('error', (error) => {
  throw error;
});
broker.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
while (!(await answers())) await wait(50);
answerCommands({
  address: () => ({port}),
  /** CPU microseconds of the broker, which has one thread. */
  cpu: () => Number(readFileSync(`/proc/${broker.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000,
});

function answers() {
  return new Promise((resolve) => {
    const socket = connect({port, host: '127.0.0.1'}, () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen({host: '127.0.0.1', port: 0}, () => {
      const {port: free} = server.address();
      server.close(() => resolve(free));
    });
  });
}
