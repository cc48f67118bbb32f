import {describe, expect, it} from 'vitest';
import {openSchema} from '../../src/lib/proto/index.js';
import {protoFile} from './support.js';

const rejected = async (files: string[]) =>
  openSchema(files).then(
    () => {
      throw new Error('it was accepted');
    },
    (error: {code: string; message: string; hint?: string}) => error,
  );

describe('openSchema', () => {
  it('finds messages by full and by short name, the own ones first', async () => {
    const first = await protoFile(
      'syntax = "proto3"; package a; message X { message Y {} } message CoinAck { string q = 1; }',
    );
    const second = await protoFile('syntax = "proto3"; package b; message X {}');
    const schema = await openSchema([first, second]);
    expect(schema.message('a.X').fullName).toBe('.a.X');
    expect(schema.message('Y').fullName).toBe('.a.X.Y');
    expect(schema.message('CoinAck').fullName).toBe('.a.CoinAck');
    expect(schema.message('paybox.CoinAck').fullName).toBe('.paybox.CoinAck');
    expect(() => schema.message('X')).toThrow(
      expect.objectContaining({code: 'MESSAGE_AMBIGUOUS', hint: expect.stringContaining('a.X, b.X')}),
    );
    expect(() => schema.message('Z')).toThrow(expect.objectContaining({code: 'MESSAGE_UNKNOWN'}));
  });

  it('imports from the files that are given, and opens no others', async () => {
    const common = await protoFile('syntax = "proto3"; message Common {}', 'common.proto');
    const user = await protoFile('syntax = "proto3"; import "common.proto"; message User { Common c = 1; }');
    expect((await openSchema([user, common])).message('User').fields.c?.type).toBe('Common');
    expect(await rejected([user])).toMatchObject({
      code: 'PROTO_IMPORT_UNKNOWN',
      message: expect.stringContaining('imports "common.proto"'),
      hint: expect.stringContaining('--proto'),
    });
    for (const path of ['/etc/passwd', '../secret.proto', 'https://example.com/x.proto']) {
      const nosy = await protoFile(`syntax = "proto3"; import "${path}"; message A {}`);
      expect(await rejected([nosy])).toMatchObject({code: 'PROTO_IMPORT_UNKNOWN'});
    }
  });

  const broken: [string, string][] = [
    ['a syntax error', 'syntax = "proto3"; message A { string a = }'],
    ['an unknown type', 'syntax = "proto3"; message A { Nope a = 1; }'],
    ['a field number twice', 'syntax = "proto3"; message A { string a = 1; string b = 1; }'],
    ['a name twice', 'syntax = "proto3"; message A {} message A {}'],
    ['text that is something else', '\u001b[2Jhello'],
    ['messages within messages without end', `syntax = "proto3"; ${'message A {'.repeat(50_000)}`],
  ];
  it.each(broken)('refuses %s with the name of the file', async (_, text) => {
    const file = await protoFile(text);
    const error = await rejected([file]);
    expect(error).toMatchObject({code: 'PROTO_INVALID', message: expect.stringContaining(file)});
    expect(error.message).not.toMatch(/[\p{Cc}]/u);
  });

  it('refuses files that are not there, none, or too large', async () => {
    expect(await rejected(['/nowhere/x.proto'])).toMatchObject({code: 'FILE_UNREADABLE'});
    expect(await rejected([import.meta.dirname])).toMatchObject({code: 'FILE_UNREADABLE'});
    expect(await rejected([await protoFile(' '.repeat(1024 * 1024 + 1))])).toMatchObject({code: 'FILE_TOO_LARGE'});
  });

  it('does not touch what is shared by all objects, whatever the names', async () => {
    const odd = 'syntax = "proto3"; message A { string constructor = 1; string hasOwnProperty = 2; A toString = 3; }';
    const schema = await openSchema([await protoFile(odd)]);
    const type = schema.message('A');
    expect(type.fieldsArray).toHaveLength(3);
    expect(schema.decode(type, Buffer.from('0a0161', 'hex'))).toBeDefined();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
