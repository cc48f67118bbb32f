import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {collectingLog} from './collect.js';

/** Any UTF-16 at all, with what is dangerous in it made likely. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({unit: 'binary'}),
      fc.constantFrom(
        '\n',
        '\r\n',
        '\x1b[2J',
        '\u2028',
        '\u202e',
        '\ud800',
        '"',
        '\\',
        '{',
        '\x9b',
        '\x85',
        '://',
        '@',
      ),
      fc.constantFrom('-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', '"token":"', '\\"token\\":\\"'),
      fc.constant('\n{"level":"error","msg":"forged"}\n'),
    ),
    {maxLength: 12},
  )
  .map((parts) => parts.join(''));

describe('a JSON line', () => {
  it('has time, level, fields and message', () => {
    const {log, lines} = collectingLog();
    log.child({connection: 7}).warn({device: 'box1'}, 'hello');
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        connection: 7,
        device: 'box1',
        msg: 'hello',
      },
    ]);
  });

  it('is written from the configured level on', () => {
    const {log, lines} = collectingLog({level: 'warn'});
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines().map((line) => JSON.parse(line).msg)).toEqual(['c', 'd']);
  });

  it('can not be forged, and stays JSON of printable characters, whatever is logged', () => {
    fc.assert(
      fc.property(hostile, hostile, (value, message) => {
        const {log, text, lines} = collectingLog();
        log.info({value, deep: {list: [value]}, err: new Error(value)}, message);
        expect(lines()).toHaveLength(1);
        expect(text().slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(text()).level).toBe('info');
      }),
      {numRuns: 500},
    );
  });

  it('carries printable text unchanged', () => {
    const {log, lines} = collectingLog();
    log.info({device: '支付盒子 "\\" 🎉 a\nb\u202e'}, 'ok');
    expect(JSON.parse(lines()[0]!).device).toBe('支付盒子 "\\" 🎉 a\nb\u202e');
  });
});

describe('a pretty line', () => {
  it('is readable', () => {
    const {log, text} = collectingLog({format: 'pretty'});
    log.info({device: 'box1'}, 'logged in');
    expect(text()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: logged in \{"device":"box1"\}\n$/);
  });

  it('can not be forged: only one line begins at the left edge, and nothing steers the terminal', () => {
    fc.assert(
      fc.property(hostile, hostile, (value, message) => {
        const {log, text, lines} = collectingLog({format: 'pretty'});
        log.info({value, deep: {list: [value], stack: value}, err: new Error(value)}, message);
        expect(text().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        const [first, ...rest] = lines().filter((line) => line !== '');
        expect(first).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO:/);
        for (const line of rest) expect(line).toMatch(/^ {4}/);
      }),
      {numRuns: 500},
    );
  });
});

describe('a secret', () => {
  const SECRET = 'hunter2hunter2';
  const pem = `-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${SECRET}+/=\n-----END EC PRIVATE KEY-----\n`;
  const error = (text: string) => Object.assign(new Error(text), {dsn: SECRET, cause: new Error(text)});
  const planted: [name: string, fields: object, message: string][] = [
    ['under its name', {token: SECRET, password: SECRET, resume_token: SECRET}, ''],
    ['under its name in any case', {Authorization: SECRET, PASSWORD: SECRET, resumeToken: SECRET}, ''],
    ['deep down', {a: {b: {c: {d: {token: SECRET}}}}}, ''],
    ['in a list', {devices: [{key: SECRET}]}, ''],
    ['as an object', {key: {data: SECRET}, a: {key: {data: SECRET}}, b: {c: {key: {data: SECRET}}}}, ''],
    ['as bytes', {key: Buffer.from(SECRET)}, ''],
    ['with quotes in it', {token: `a"b\\"${SECRET}`}, ''],
    ['in quoted JSON', {body: JSON.stringify({token: `x"\n\\${SECRET}`, other: 1})}, ''],
    ['in a message of JSON', {}, `got ${JSON.stringify({user: 'x', password: SECRET})}`],
    [
      'in the address of Redis',
      {url: `redis://user:${SECRET}@host:6379/0`},
      `cannot reach redis://user:${SECRET}@host`,
    ],
    ['in an address with an odd password', {}, `rediss://:a/b@${SECRET}@host`],
    ['in a PEM key', {pem}, pem],
    ['in a PEM key that is cut off', {}, pem.slice(0, 75)],
    ['in quoted JSON with a PEM key', {body: JSON.stringify({file: pem})}, ''],
    ['in an error', {err: error(`redis://u:${SECRET}@h failed ${pem}`)}, ''],
  ];

  test.each(
    planted.flatMap(([name, fields, message]) =>
      (['json', 'pretty'] as const).map((format) => ({name, fields, message, format})),
    ),
  )('$name is not in the log ($format)', ({fields, message, format}) => {
    const {log, text} = collectingLog({format});
    log.debug(fields, message);
    log.child({bound: fields, ...fields}).error({}, message);
    expect(text()).not.toContain(SECRET);
    expect(text()).toContain('[redacted]');
  });

  it('goes, and what stands around it stays', () => {
    const {log, lines} = collectingLog();
    log.info({file: 'a.key', body: '{"token":"x","n":1}'}, `redis://u:p@h:1/0 said ${pem.trim()} and left`);
    expect(JSON.parse(lines()[0]!)).toMatchObject({
      file: 'a.key',
      body: '{"token":"[redacted]","n":1}',
      msg: 'redis://[redacted]@h:1/0 said [redacted] and left',
    });
  });
});
