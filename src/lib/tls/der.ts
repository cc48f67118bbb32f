/** The bytes are not the DER that was expected. */
export class DerError extends Error {
  override name = 'DerError';
}

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/**
 * Walks the elements of one DER level, strictly: definite and shortest lengths only, nothing past the end, no tag
 * numbers of more than one byte. It copies nothing; `start`, `valueStart` and `end` are offsets into `bytes` of the
 * element that `next()` read last.
 */
export class DerCursor {
  tag = -1;
  start: number;
  valueStart: number;
  end: number;

  constructor(
    readonly bytes: Buffer,
    offset = 0,
    private readonly limit = bytes.length,
  ) {
    this.start = offset;
    this.valueStart = offset;
    this.end = offset;
  }

  /** Whether another element follows. */
  get more(): boolean {
    return this.end < this.limit;
  }

  /** The tag of the element that follows, or -1. */
  peek(): number {
    return this.end < this.limit ? (this.bytes[this.end] as number) : -1;
  }

  /** Reads the next element and returns its tag. */
  next(): number {
    const {bytes, limit} = this;
    let at = this.end;
    if (at + 2 > limit) throw new DerError('an element is missing');
    const tag = bytes[at] as number;
    if ((tag & 0x1f) === 0x1f) throw new DerError('a tag has more than one byte');
    let length = bytes[at + 1] as number;
    this.start = at;
    at += 2;
    if (length > 0x7f) {
      const count = length & 0x7f;
      if (count === 0 || count > 4 || at + count > limit) throw new DerError('a length is not definite');
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + i] as number);
      if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length is not in its shortest form');
      at += count;
    }
    if (length > limit - at) throw new DerError('an element reaches past its end');
    this.tag = tag;
    this.valueStart = at;
    this.end = at + length;
    return tag;
  }

  /** Reads the next element, which must have this tag. */
  expect(tag: number): this {
    if (this.next() !== tag) throw new DerError(`tag 0x${tag.toString(16)} was expected`);
    return this;
  }

  /** A cursor over the content of the element that was read last. */
  enter(): DerCursor {
    return new DerCursor(this.bytes, this.valueStart, this.end);
  }

  /** Everything at this level must have been read. */
  finish(): void {
    if (this.more) throw new DerError('bytes follow the last element');
  }

  /** The whole element, header included, as one character per byte: a cheap key that is equal for equal bytes only. */
  get key(): string {
    return this.bytes.toString('latin1', this.start, this.end);
  }

  /** The whole element, header included; shares the memory. */
  get element(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** The content; shares the memory. */
  get value(): Buffer {
    return this.bytes.subarray(this.valueStart, this.end);
  }
}

/** The element's content as a serial number is written: upper-case hex, whole bytes, without leading zero bytes. */
export function serialOf(integer: DerCursor): string {
  if (integer.end === integer.valueStart) throw new DerError('a number is empty');
  let from = integer.valueStart;
  while (from < integer.end - 1 && integer.bytes[from] === 0) from++;
  return integer.bytes.toString('hex', from, integer.end).toUpperCase();
}

/** UTCTime or GeneralizedTime in the form RFC 5280 allows (to the second, Z) as UTC milliseconds. */
export function timeOf(element: DerCursor): number {
  const {bytes, tag, valueStart: at, end} = element;
  const utc = tag === Tag.utcTime;
  if (!utc && tag !== Tag.generalizedTime) throw new DerError('a time was expected');
  if (end - at !== (utc ? 13 : 15) || bytes[end - 1] !== 0x5a) throw new DerError('a time has another form');
  const short = twoDigits(bytes, at);
  const year = utc ? (short < 50 ? 2000 : 1900) + short : short * 100 + twoDigits(bytes, at + 2);
  const rest = utc ? at + 2 : at + 4;
  const month = twoDigits(bytes, rest);
  const day = twoDigits(bytes, rest + 2);
  const hour = twoDigits(bytes, rest + 4);
  const minute = twoDigits(bytes, rest + 6);
  const second = twoDigits(bytes, rest + 8);
  const wrong = month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59;
  if (wrong) throw new DerError('a time does not exist');
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function twoDigits(bytes: Buffer, at: number): number {
  const high = (bytes[at] as number) - 48;
  const low = (bytes[at + 1] as number) - 48;
  if (high < 0 || high > 9 || low < 0 || low > 9) throw new DerError('a time holds something else than digits');
  return high * 10 + low;
}
