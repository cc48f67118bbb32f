import {ExitCode, PaynetError} from '../errors.js';

/** One thing that is wrong, and where. */
export interface ConfigIssue {
  /** "config.yaml:3:14", "PAYNET_SERVER_ADDR" or "--set"; empty for a configuration given by a program. */
  place: string;
  line?: number;
  column?: number;
  /** "server.max_frame"; empty for the file as a whole. */
  key: string;
  /** What is wrong and what is allowed; holds no secret. */
  message: string;
}

/** More would push the first one off the screen. */
const MAX_LINES = 50;

/** Everything that is wrong with a configuration, one line each. */
export class ConfigError extends PaynetError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    const sorted = issues.toSorted((a, b) => order(a) - order(b) || (a.column ?? 0) - (b.column ?? 0));
    const lines = sorted.slice(0, MAX_LINES).map(sentence);
    if (sorted.length > MAX_LINES) lines.push(`and ${sorted.length - MAX_LINES} more`);
    super('CONFIG_INVALID', lines.join('\n'), {exitCode: ExitCode.usage});
    this.issues = sorted;
  }
}

export function unreadable(file: string, reason: string, hint: string, cause?: unknown): PaynetError {
  return new PaynetError('CONFIG_UNREADABLE', `${quote(file)} ${reason}`, {hint, cause});
}

/** The issues of the file come by line, the others after it. */
function order(issue: ConfigIssue): number {
  return issue.line ?? Number.MAX_SAFE_INTEGER;
}

function sentence({place, key, message}: ConfigIssue): string {
  if (place === '--set') return `--set ${key === '' ? '' : `${key}: `}${message}`;
  return [place, key, message].filter((part) => part !== '').join(': ');
}

/** A value as it may stand in an error: short, on one line, without the password of a URL. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'this list';
  if (typeof value === 'object') return 'a section';
  if (typeof value !== 'string') return String(value);
  if (value.startsWith('-----BEGIN')) return 'PEM text';
  if (value.includes('://')) return 'a URL';
  return quote(value);
}

export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
