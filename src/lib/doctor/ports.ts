import {once} from 'node:events';
import {createServer, type Server} from 'node:net';
import {type Config, formatAddress, listenError, parseAddress} from '../config/index.js';
import {codeOf} from '../errors.js';
import {type Finding, ok, problemOf, together, warning} from './finding.js';

const ANSWER_LIMIT_MS = 1000;
const EVERY_INTERFACE: readonly (string | undefined)[] = [undefined, '0.0.0.0', '::'];

/** Whether the addresses of a server can be listened on. Each is held until all have been tried: they may be equal. */
export async function checkPorts(config: Config): Promise<Finding> {
  const {server, observe, api} = config;
  const wanted = [
    ...(server === undefined ? [] : [{key: 'server.addr', text: server.addr}]),
    ...(server === undefined || api.addr === 'off' ? [] : [{key: 'api.addr', text: api.addr}]),
    ...(observe.addr === 'off' ? [] : [{key: 'observe.addr', text: observe.addr}]),
  ];
  const running = await isServing(observe.addr);
  const held: Server[] = [];
  try {
    const findings: Finding[] = [];
    for (const {key, text} of wanted) findings.push(await tryPort(key, text, running, held));
    return together(findings);
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

async function tryPort(key: string, text: string, running: boolean, held: Server[]): Promise<Finding> {
  const address = parseAddress(text);
  const server = createServer();
  try {
    server.listen(address);
    await once(server, 'listening');
    held.push(server);
    return ok(`${key} "${formatAddress(address)}" is free`);
  } catch (error) {
    if (running && codeOf(error) === 'EADDRINUSE') {
      return warning(
        `${key} "${formatAddress(address)}" is in use, and a server answers /healthz on observe.addr`,
        'If that is this installation running, all is well.',
      );
    }
    return problemOf(listenError(error, address, key), `Choose another address with ${key}.`);
  }
}

/** Whether something like this server answers at the address of metrics and health. */
async function isServing(addr: string): Promise<boolean> {
  if (addr === 'off') return false;
  const {host, port} = parseAddress(addr);
  if (port === 0) return false;
  const target = formatAddress({host: EVERY_INTERFACE.includes(host) ? '127.0.0.1' : host, port});
  try {
    const answer = await fetch(`http://${target}/healthz`, {
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      redirect: 'error',
    });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'alive' in body && body.alive === true;
  } catch {
    // Nobody there, or somebody else: either way no server of ours.
    return false;
  }
}
