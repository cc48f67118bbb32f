// Many rounds: `npm run soak -- --rounds 100 --seed 7`.
import {parseArgs} from 'node:util';
import {createRandom} from './random.js';
import {Trial, type TrialResult} from './trial.js';

const {values} = parseArgs({options: {rounds: {type: 'string', default: '100'}, seed: {type: 'string'}}});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? process.env.PAYNET_SEED ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  process.stderr.write('Give whole numbers: --rounds 100 --seed 7\n');
  process.exit(2);
}

function table({rounds: made, kills, boxKills, figures}: TrialResult): string {
  const rows: [string, number][] = [
    ['rounds', made],
    ...[...kills].map(([point, times]): [string, number] => [`kills: ${point}`, times]),
    ['kills of boxes', boxKills],
    ...Object.entries(figures),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${String(value).padStart(8)}\n`).join('');
}

process.stdout.write(`seed ${seed}\n`);
const trial = await Trial.open(createRandom(seed));
let isGood = false;
try {
  const early: string[] = [];
  for (let round = 1; round <= rounds && early.length === 0; round++) {
    const began = performance.now();
    process.stderr.write(`round ${round}: ${JSON.stringify(trial.faults)}`);
    early.push(...(await trial.round()));
    process.stderr.write(` ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  }
  const result = await trial.finish();
  process.stdout.write(table(result));
  const findings = [...new Set([...early, ...result.findings])];
  for (const line of findings) process.stdout.write(`${line}\n`);
  process.stdout.write(findings.length === 0 ? 'nothing lost, nothing doubled\n' : `${findings.length} findings\n`);
  isGood = findings.length === 0;
} finally {
  await trial.close(!isGood);
  if (!isGood) process.stdout.write(`database, ledgers and log: ${trial.folder}\n`);
}
process.exitCode = isGood ? 0 : 1;
