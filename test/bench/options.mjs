// The command line of the bench.
import {parseArgs} from 'node:util';

export const MEASURES = [
  'turns',
  'records',
  'handshakes',
  'memory',
  'growth',
  'orders',
  'latency',
  'reads',
  'heartbeats',
  'storm',
  'million',
  'peers',
];
/** Left out unless they are asked for: they take long, or need other programs. */
const LONG = new Set(['storm', 'million']);

export const HELP = `Measures the server against bare references, on loopback: a TLS echo with the same TLS options; for orders HTTP, a
grouped commit and TLS without a framework; for reads bare Fastify.

Usage: npm run bench -- [options]

  --full           15,000 devices, 8,000 for memory, the reconnect storm, a million orders (about 20 minutes)
  --only <names>   of: ${MEASURES.join(', ')}; with commas, or given several times
  --rounds <n>     rounds with servers of their own, for medians (3; memory, orders, reads: 1)
  --peers          also mosquitto and aedes, where they are installed (the row "peers")
  --profile <dir>  CPU profiles of the last segment of "orders", kept in this folder and summed up on standard error
  --json           the result as JSON on standard output instead of the table
  --help

The result is also written to bench-results/. Figures never make it fail; exit code 1 means that something could not
be measured.
`;

/** Throws a TypeError for what is not understood. */
export function parseOptions(argv) {
  const {values} = parseArgs({
    args: argv,
    options: {
      full: {type: 'boolean', default: false},
      only: {type: 'string', multiple: true},
      rounds: {type: 'string'},
      peers: {type: 'boolean', default: false},
      profile: {type: 'string'},
      json: {type: 'boolean', default: false},
      help: {type: 'boolean', default: false},
    },
  });
  const {full, json, help, peers, profile} = values;
  const only = values.only?.flatMap((names) => names.split(','));
  const unknown = only?.find((name) => !MEASURES.includes(name));
  if (unknown !== undefined) throw new TypeError(`--only ${unknown}: choose one of ${MEASURES.join(', ')}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
    throw new TypeError(`--rounds ${values.rounds}: a whole number from 1 to 100`);
  }
  const chosen = only ?? MEASURES.filter((name) => name !== 'peers' && (full || !LONG.has(name)));
  const measures = peers && !chosen.includes('peers') ? [...chosen, 'peers'] : chosen;
  return {full, json, help, rounds, measures, profile};
}
