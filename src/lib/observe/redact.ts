const SECRET_NAMES = [
  'token',
  'resume_token',
  'resumeToken',
  'password',
  'passphrase',
  'secret',
  'key',
  'private_key',
  'privateKey',
  'dsn',
  'authorization',
];

const REDACTED = '[redacted]';
const secretNames = new Set(SECRET_NAMES.map((name) => name.toLowerCase()));

/** Whether what stands under this name is never shown, whatever it is. */
export function redactField(name: string, value: unknown): unknown {
  return value !== null && value !== '' && secretNames.has(name.toLowerCase()) ? REDACTED : value;
}

const NAMES = SECRET_NAMES.join('|');
/** JSON quoted in a text. */
const BY_NAME = new RegExp(String.raw`"(${NAMES})"\s*:\s*"(?:[^"\\]|\\.)*"?`, 'gi');
/** JSON quoted in JSON quoted in a text: every quote has a backslash, every escape two. */
const BY_NAME_QUOTED = new RegExp(String.raw`\\"(${NAMES})\\"\s*:\s*\\"(?:[^"\\]|\\\\(?:[^"\\]|\\["\\]))*`, 'gi');
/** A private key in PEM, with its end or cut off; its line ends may be escaped. */
const PEM_BODY = String.raw`(?:[A-Za-z0-9+/=:,.\s-]|\\+[nrt])*`;
const PEM_KEY = new RegExp(
  `-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:${PEM_BODY}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|${PEM_BODY})`,
  'g',
);
/** User and password of any URL. */
const URL_USER = /:\/\/[^\s"]{0,512}@/g;

/** Takes secrets out of a text by their shape. */
export function redactText(text: string): string {
  let clean = text;
  if (clean.includes('"')) {
    clean = clean.replace(BY_NAME, `"$1":"${REDACTED}"`).replace(BY_NAME_QUOTED, `\\"$1\\":\\"${REDACTED}`);
  }
  if (clean.includes('PRIVATE KEY')) clean = clean.replace(PEM_KEY, REDACTED);
  if (clean.includes('://')) clean = clean.replace(URL_USER, `://${REDACTED}@`);
  return clean;
}
