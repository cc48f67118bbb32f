import {printable} from '../lib/observe/index.js';
import {color} from './color.js';
import {cutToWidth, displayWidth} from './display-width.js';

export type Cell = string | number | boolean | null | undefined;

export interface Column<Row> {
  head: string;
  value: (row: Row) => Cell;
  align?: 'right';
}

const GAP = '  ';

/** Rows under their heads, aligned as a terminal shows them; lines end at `width` columns where that is given. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width = terminalWidth()): string {
  const cells = rows.map((row) => columns.map(({value}) => cellText(value(row))));
  const widths = columns.map(({head}, index) =>
    Math.max(displayWidth(head), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  );
  const lineOf = (line: readonly string[]): string => {
    const parts = line.map((text, index) => {
      const space = ' '.repeat((widths[index] ?? 0) - displayWidth(text));
      return columns[index]?.align === 'right' ? `${space}${text}` : `${text}${space}`;
    });
    return cutLine(parts.join(GAP).trimEnd(), width);
  };
  return [color.bold(lineOf(columns.map(({head}) => head))), ...cells.map(lineOf)].join('\n');
}

/** Names and values, one pair a line. */
export function detailsText(pairs: readonly (readonly [name: string, value: Cell])[], width = terminalWidth()): string {
  const shown = pairs.map(([name, value]) => [cellText(name), value] as const);
  const longest = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown
    .map(([name, value]) => {
      const space = ' '.repeat(longest - displayWidth(name));
      return `${color.bold(name)}${space}${GAP}${cutLine(cellText(value), width && width - longest - GAP.length)}`;
    })
    .join('\n');
}

/** What a server says, as it may stand on a terminal. */
export function cellText(value: Cell): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return printable(String(value), 500);
}

const cutLine = (line: string, width: number | undefined): string =>
  width === undefined ? line : cutToWidth(line, Math.max(width, 1));

/** Undefined where standard output is no terminal: whatever reads it gets everything. */
function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || undefined : undefined;
}
