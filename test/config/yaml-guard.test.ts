import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {tooDeepAt} from '../../src/lib/config/yaml-guard.js';
import {configFolder, SERVER_FILE} from './files.js';

const {problems} = configFolder();

const DEPTH = 7000;
const forms: [string, string][] = [
  ['flow lists', '['.repeat(DEPTH) + ']'.repeat(DEPTH)],
  ['flow lists that never end', '['.repeat(DEPTH)],
  ['flow maps', '{a: '.repeat(DEPTH)],
  ['lists on one line', '- '.repeat(DEPTH)],
  ['explicit keys on one line', '? '.repeat(DEPTH)],
  ['values on one line', ': '.repeat(DEPTH)],
  ['indentation', Array.from({length: 300}, (_, level) => `${' '.repeat(level)}a:\n`).join('')],
  ['a list in a list, by lines', Array.from({length: 300}, (_, level) => `${' '.repeat(level)}-\n`).join('')],
  ['brackets below indentation', `a:\n  b:\n    c: ${'['.repeat(DEPTH)}`],
];

describe('nesting is limited before parsing', () => {
  test.each(forms)('%s, twice in one process', async (_, text) => {
    // The second parse of such a text aborts the whole process in the parser itself.
    for (const attempt of [text, text]) {
      const [first, ...rest] = await problems(attempt);
      expect(first).toMatch(/^config\.yaml:\d+:\d+: is nested deeper than 64 levels; a configuration has three$/);
      expect(rest).toEqual([]);
    }
  });

  it('names the place', async () => {
    expect(await problems(`server:\n  x: ${'['.repeat(100)}`)).toEqual([
      'config.yaml:2:67: is nested deeper than 64 levels; a configuration has three',
    ]);
  });

  test.each([
    ['64 brackets', '['.repeat(64)],
    ['a real file', SERVER_FILE],
    ['brackets in quotes', `a: "${'['.repeat(500)}"`],
    ['brackets in a comment', `a: 1 # ${'['.repeat(500)}`],
    ['brackets in a block of text', `a: |\n${`  ${'['.repeat(100)}\n`.repeat(10)}`],
    ['many keys side by side', 'a: 1\n'.repeat(5000)],
    ['many items side by side', `a:\n${'  - b: 1\n    c: [1, {d: 2}]\n'.repeat(3000)}`],
  ])('%s is not deep', (_, text) => {
    expect(tooDeepAt(text)).toBeUndefined();
  });

  it('lets nothing through that is deeper, and stops nothing that is far from it', () => {
    const levels = fc.array(fc.constantFrom('list', 'map'), {maxLength: 120});
    fc.assert(
      fc.property(levels, (kinds) => {
        const flow = kinds.reduceRight((inner, kind) => (kind === 'list' ? `[${inner}]` : `{"a": ${inner}}`), 'x');
        const block = kinds.map((kind, level) => `${' '.repeat(level)}${kind === 'list' ? '-' : 'a:'}\n`).join('');
        for (const text of [flow, `${block}${' '.repeat(kinds.length)}x\n`]) {
          const passes = tooDeepAt(text) === undefined;
          if (kinds.length > 64) expect(passes).toBe(false);
          if (kinds.length < 60) expect(passes).toBe(true);
        }
      }),
    );
  });
});
