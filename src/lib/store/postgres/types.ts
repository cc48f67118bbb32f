import pg from 'pg';

const INT8 = 20;
const NUMERIC = 1700;

/** Counts, sums and times as numbers, as SQLite gives them, instead of text. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 || oid === NUMERIC
      ? wholeOrNothing
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

function wholeOrNothing(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw new RangeError('the database holds a number that is too large to be kept exactly');
  }
  return number;
}
