import {PaynetError} from '../errors.js';

export interface PemBlock {
  /** What stands after BEGIN, for example `CERTIFICATE`. */
  label: string;
  /** The block alone, from its BEGIN line to its END line. */
  pem: string;
  der: Buffer;
}

const BEGIN = '-----BEGIN ';

/** Whether a configured value is PEM text itself rather than the path of a file. */
export function isPemText(value: string): boolean {
  return value.trimStart().startsWith(BEGIN);
}

/**
 * Every block of a PEM text in order. What stands between blocks is a comment, as openssl writes it.
 * PaynetError PEM_INVALID, naming `source`, when a block is cut off or not base64; an empty list when there is none.
 */
export function pemBlocks(text: string, source: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let from = text.indexOf(BEGIN);
  while (from !== -1) {
    const head = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text.slice(from, from + 64));
    const label = head?.[1];
    if (head === null || label === undefined) throw invalid(source, 'a BEGIN line is not complete');
    const end = `-----END ${label}-----`;
    const to = text.indexOf(end, from);
    if (to === -1) throw invalid(source, `the END line of a ${label} is missing; the file is cut off`);
    const body = text.slice(from + head[0].length, to);
    blocks.push({label, pem: `${text.slice(from, to)}${end}\n`, der: decode(body, label, source)});
    from = text.indexOf(BEGIN, to + end.length);
  }
  return blocks;
}

function decode(body: string, label: string, source: string): Buffer {
  // Older key files carry headers before the base64; only OpenSSL reads those, and never from here.
  if (label.endsWith('PRIVATE KEY')) return Buffer.alloc(0);
  // Buffer.from stops silently at the first strange character.
  if (/[^A-Za-z0-9+/=\s]/.test(body)) throw invalid(source, `a ${label} holds something else than base64`);
  return Buffer.from(body, 'base64');
}

function invalid(source: string, what: string): PaynetError {
  return new PaynetError('PEM_INVALID', `${source} is not usable PEM: ${what}.`, {
    hint: 'Copy the file again, whole and in text form.',
  });
}
