// Figures to rows of a table: medians, the ratio round by round, and what was to be reached.
import {summary} from './stats.mjs';

/** Adds to each row of raw values its summaries and whether its target is reached. */
export function summarise(row) {
  const {bare, product, note, ratioAtLeast, differenceAtMost, productAtLeast, productAtMost} = row;
  if (note !== undefined) return row;
  const out = {...row, product: summary(product)};
  if (bare.length > 0) {
    out.bare = summary(bare);
    out.ratio = summary(product.map((value, at) => value / bare[at]));
    out.difference = summary(product.map((value, at) => value - bare[at]));
  }
  if (ratioAtLeast !== undefined) out.reached = out.ratio.median >= ratioAtLeast;
  if (differenceAtMost !== undefined) out.reached = out.difference.median <= differenceAtMost;
  if (productAtLeast !== undefined) out.reached = out.product.median >= productAtLeast;
  if (productAtMost !== undefined) out.reached = out.product.median <= productAtMost;
  return out;
}

export function table(rows) {
  const cells = rows.map((row) =>
    row.note === undefined ? figures(row) : [row.label, '', '', row.note, '', row.unit],
  );
  const lines = [['measure', 'bare', 'product', 'ratio (spread)', 'target', 'unit'], ...cells];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const right = new Set([1, 2]);
  return lines
    .map((line) =>
      line
        .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function figures(row) {
  return [
    row.label,
    row.ratio === undefined ? '' : number(row.bare.median),
    number(row.product.median),
    row.ratio === undefined ? '' : comparison(row),
    target(row),
    row.unit,
  ];
}

function comparison({ratio, difference, differenceAtMost}) {
  const {median, least, most} = differenceAtMost === undefined ? ratio : difference;
  const say = (value) => (differenceAtMost !== undefined && value > 0 ? '+' : '') + value.toFixed(2);
  return most > least ? `${say(median)} (${say(least)} to ${say(most)})` : say(median);
}

function target({ratioAtLeast, differenceAtMost, productAtLeast, productAtMost, reached}) {
  if (reached === undefined) return '';
  const text = [
    ratioAtLeast !== undefined && `≥ ${ratioAtLeast}`,
    differenceAtMost !== undefined && `≤ +${differenceAtMost}`,
    productAtLeast !== undefined && `≥ ${number(productAtLeast)}`,
    productAtMost !== undefined && `≤ ${productAtMost}`,
  ].find((one) => one !== false);
  return `${text} ${reached ? 'reached' : 'missed'}`;
}

function number(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
