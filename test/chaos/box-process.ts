// Boxes in a process of their own, to be killed. A line on standard input says at which payment from now on it dies:
// when the coins are out and before anybody is told.
import {createInterface} from 'node:readline';
import {type BoxOptions, openBox} from './box.js';

const all = JSON.parse(process.argv[2] ?? '[]') as BoxOptions[];
let left = 0;
const boxes = await Promise.all(all.map(openBox));
for (const box of boxes) {
  box.paid = () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
createInterface({input: process.stdin}).on('line', (line) => {
  left = Number(line);
});
// Who started it has gone.
process.stdin.on('end', () => process.exit(0));
process.stdout.write('online\n');
