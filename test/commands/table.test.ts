import {describe, expect, it} from 'vitest';
import {cutToWidth, displayWidth} from '../../src/cli/display-width.js';
import {localTime} from '../../src/cli/local-time.js';
import {detailsText, tableText} from '../../src/cli/table.js';

const COLUMNS = [
  {head: 'NAME', value: ([name]: [string, number | null]) => name},
  {head: 'N', value: ([, count]: [string, number | null]) => count, align: 'right'},
  {head: 'END', value: () => '|'},
] as const;

describe('widths on a terminal', () => {
  const widths: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['支付盒', 6],
    ['（全角）', 8],
    ['ｱｲ', 2],
    ['한글', 4],
    ['e\u0301', 1],
    ['👍🏽', 2],
    ['🇨🇳', 2],
    ['…', 1],
  ];
  it.each(widths)('%j takes %i', (text, width) => expect(displayWidth(text)).toBe(width));

  it('cuts between characters, never over the width', () => {
    expect(cutToWidth('支付盒', 6)).toBe('支付盒');
    expect(cutToWidth('支付盒', 5)).toBe('支付…');
    expect(cutToWidth('支付盒', 4)).toBe('支…');
    expect(cutToWidth('abc', 2)).toBe('a…');
    expect(cutToWidth('abc', 1)).toBe('…');
  });
});

describe('tables', () => {
  it('align columns by what a terminal shows', () => {
    const rows: [string, number | null][] = [
      ['支付盒', 5],
      ['a', 100],
      ['', null],
    ];
    expect(tableText(COLUMNS, rows)).toBe(
      ['NAME      N  END', '支付盒    5  |', 'a       100  |', '-         -  |'].join('\n'),
    );
  });

  it('show what would steer a terminal', () => {
    expect(tableText(COLUMNS, [['\u001b[2J\na', 1]])).toContain('\\x1b[2J\\x0aa');
    expect(detailsText([['a\u009b', 'b\u202e']])).toBe('a\\x9b  b\\u{202e}');
  });

  it('end at a width', () => {
    const text = tableText(COLUMNS, [['支付盒支付盒', 1]], 10);
    expect(text.split('\n')).toEqual(['NAME…', '支付盒支…']);
    expect(detailsText([['name', '支付盒支付盒']], 12)).toBe('name  支付…');
  });
});

describe('times', () => {
  it('are those of this machine, with its offset', () => {
    const text = '2025-11-11T12:10:09.120Z';
    const local = localTime(text) ?? '';
    expect(local).toMatch(/^2025-11-1[12] \d\d:\d\d:09 [+-]\d\d:\d\d$/);
    expect(new Date(local.replace(' ', 'T').replace(' ', '')).getTime()).toBe(Date.parse('2025-11-11T12:10:09Z'));
    expect(localTime(null)).toBeNull();
    expect(localTime('soon')).toBe('soon');
  });
});
