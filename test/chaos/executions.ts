import {closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync} from 'node:fs';

/** What a box has really done with an order. */
export interface Execution {
  started: number;
  coins: number;
  ended: number;
}

/** A box's mechanical counter: a line for each step, on the disk before the next one. */
export function count(file: string, step: 'start' | 'coin' | 'end', orderNo: string): void {
  const counter = openSync(file, 'a');
  writeSync(counter, `${step} ${orderNo}\n`);
  fsyncSync(counter);
  closeSync(counter);
}

/** Adds what a counter has counted to `found`. */
export function readCounter(file: string, found: Map<string, Execution>): void {
  if (!existsSync(file)) return;
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [step, orderNo = ''] = line.split(' ');
    const execution = found.get(orderNo) ?? {started: 0, coins: 0, ended: 0};
    found.set(orderNo, execution);
    if (step === 'start') execution.started += 1;
    else if (step === 'coin') execution.coins += 1;
    else execution.ended += 1;
  }
}
