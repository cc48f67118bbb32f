import {open} from 'node:fs/promises';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import {CoinState} from '../registry/index.js';
import {type LedgerEntry, remember} from './ledger.js';

/** What a ledger's file holds. */
export interface LedgerText {
  entries: Map<string, LedgerEntry>;
  lines: number;
  /** The bytes up to the end of the last whole line. */
  wholeBytes: number;
}

const NEWLINE = 0x0a;

export const lineOf = (entry: LedgerEntry): string => `${JSON.stringify(entry)}\n`;

/** Reads a ledger's file; one that does not exist is empty. Rejects with LEDGER_UNREADABLE. */
export async function readLedger(path: string): Promise<LedgerText> {
  const bytes = await readBytes(path);
  const wholeBytes = bytes.lastIndexOf(NEWLINE) + 1;
  const entries = new Map<string, LedgerEntry>();
  let lines = 0;
  for (let start = 0; start < wholeBytes; ) {
    const end = bytes.indexOf(NEWLINE, start);
    const entry = parse(bytes.subarray(start, end));
    lines++;
    if (entry === undefined) {
      throw new PaynetError('LEDGER_UNREADABLE', `the ledger ${path} is damaged at line ${lines}`, {
        hint: 'Keep the file for the reconciliation of its orders; only then start with a new one.',
      });
    }
    remember(entries, entry);
    start = end + 1;
  }
  return {entries, lines, wholeBytes};
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      // A device or a pipe might never end.
      if (!(await file.stat()).isFile()) throw new Error('it is not a file');
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw new PaynetError('LEDGER_UNREADABLE', `the ledger ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'Give the path of a file that the device may read and write, or of none yet.',
    });
  }
}

// Broken UTF-8 in an order id would make it another order's.
const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

function parse(line: Buffer): LedgerEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(line));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {orderId, coins, state, progress, error} = value as Record<string, unknown>;
  if (typeof orderId !== 'string' || typeof coins !== 'number' || typeof progress !== 'number') return undefined;
  if (typeof error !== 'string' || !isState(state)) return undefined;
  return {orderId, coins, state, progress, error};
}

const isState = (value: unknown): value is CoinState =>
  Number.isInteger(value) && (value as number) >= CoinState.COIN_ACCEPTED && (value as number) <= CoinState.COIN_FAILED;
