// The command line of the bench.
import {parseArgs} from 'node:util';

export const MEASURES = ['turns', 'records', 'handshakes', 'memory', 'growth', 'storm'];

export const HELP = `Measures the server against a bare TLS echo with the same TLS options, on loopback.

Usage: npm run bench -- [options]

  --full           15,000 devices, 8,000 for memory, and the reconnect storm (about 15 minutes)
  --only <name>    one of: ${MEASURES.join(', ')}; may be given several times
  --rounds <n>     rounds with servers of their own, for medians (3; memory: 1)
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
      json: {type: 'boolean', default: false},
      help: {type: 'boolean', default: false},
    },
  });
  const {full, json, help, only} = values;
  const unknown = only?.find((name) => !MEASURES.includes(name));
  if (unknown !== undefined) throw new TypeError(`--only ${unknown}: choose one of ${MEASURES.join(', ')}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
    throw new TypeError(`--rounds ${values.rounds}: a whole number from 1 to 100`);
  }
  const measures = only ?? MEASURES.filter((name) => full || name !== 'storm');
  return {full, json, help, rounds, measures};
}
