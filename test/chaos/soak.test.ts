import {expect, it, onTestFinished} from 'vitest';
import {createRandom} from './random.js';
import {Trial} from './trial.js';

const ROUNDS = 8;
const seed = Number(process.env.PAYNET_SEED ?? Math.floor(Math.random() * 2 ** 31));

it(`loses nothing and pays nothing twice in ${ROUNDS} rounds of kills (PAYNET_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const trial = await Trial.open(createRandom(seed));
  onTestFinished(() => trial.close());
  for (let round = 1; round <= ROUNDS; round++)
    expect(await trial.round(), `round ${round} of seed ${seed}`).toEqual([]);
  const {findings, figures} = await trial.finish();
  expect(findings, `seed ${seed}`).toEqual([]);
  expect(figures.accepted).toBeGreaterThan(ROUNDS);
  expect(figures.executions).toBeGreaterThan(ROUNDS);
});
