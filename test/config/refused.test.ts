// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of configuration files are meant
import {afterEach, describe, expect, it, test} from 'vitest';
import {CLIENT_FILE, configFolder, type Loading, SERVER_FILE} from './files.js';

const {load, problems} = configFolder();

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** The server file with one line changed; the line numbers of the table count in it. */
const with_ = (from: string, to: string) => SERVER_FILE.replace(from, to);
const SERVER_KEYS =
  'addr, max_frame, heartbeat_expect, login_timeout, handshake_timeout, drain_timeout, query_rsp_type, limits, tls';
const TOP_KEYS =
  'server, frame, dispatcher, idempotency, auth, observe, store, api, events, orders, session, hooks, client';

const table: [name: string, text: string, expected: string[], loading?: Loading][] = [
  [
    'a number out of range',
    with_('65535', '99999999'),
    ['config.yaml:3:14: server.max_frame: must be a whole number from 1 to 16777216, not 99999999'],
  ],
  [
    'a fraction',
    with_('65535', '1.5'),
    ['config.yaml:3:14: server.max_frame: must be a whole number from 1 to 16777216, not 1.5'],
  ],
  [
    'a number in quotes',
    with_('65535', '"65535"'),
    ['config.yaml:3:14: server.max_frame: must be a whole number from 1 to 16777216, not "65535"'],
  ],
  [
    'a number that would lose digits',
    with_('65535', '9007199254740993'),
    ['config.yaml:3:14: server.max_frame: is a number beyond 2^53, which would lose digits'],
  ],
  [
    'a typing error in a key',
    with_('max_frame', 'max_frme'),
    ['config.yaml:3:3: server.max_frme: unknown key; did you mean max_frame?'],
  ],
  [
    'a dash in a key',
    with_('max_frame', 'max-frame'),
    ['config.yaml:3:3: server."max-frame": unknown key; did you mean max_frame?'],
  ],
  [
    'a key that stands elsewhere',
    with_('dispatcher:', 'log_level: info\ndispatcher:'),
    ['config.yaml:10:1: log_level: unknown key; did you mean observe.log_level?'],
  ],
  [
    'a key that is like none',
    with_('  addr', '  colour: red\n  addr'),
    [`config.yaml:2:3: server.colour: unknown key; allowed here: ${SERVER_KEYS}`],
  ],
  [
    'a key for the prototype',
    `${SERVER_FILE}__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n`,
    [
      `config.yaml:16:1: __proto__: unknown key; allowed here: ${TOP_KEYS}`,
      `config.yaml:17:1: constructor: unknown key; allowed here: ${TOP_KEYS}`,
    ],
  ],
  [
    'a key twice',
    with_('  max_frame: 65535', '  max_frame: 65535\n  max_frame: 1'),
    ['config.yaml:4:3: this key is there twice'],
  ],
  [
    'a key with dots',
    `server.addr: ":1"\n${SERVER_FILE}`,
    ['config.yaml:1:1: a key must be one word, and sections are nested, not joined by dots'],
  ],
  [
    'a duration without unit',
    with_('70s', '70'),
    ['config.yaml:4:21: server.heartbeat_expect: "70" needs a unit: ms, s, m or h, as in "70s"'],
  ],
  [
    'a duration of nothing',
    with_('70s', '0s'),
    ['config.yaml:4:21: server.heartbeat_expect: must be a duration from 50ms to 1h, not "0s"'],
  ],
  [
    'a negative duration',
    with_('70s', '-70s'),
    ['config.yaml:4:21: server.heartbeat_expect: "-70s" is negative: a duration is 0 or more'],
  ],
  [
    'an absurd duration',
    with_('70s', '70h'),
    ['config.yaml:4:21: server.heartbeat_expect: must be a duration from 50ms to 1h, not "70h"'],
  ],
  [
    'an address without colon',
    with_('":443"', '443'),
    ['config.yaml:2:9: server.addr: must be an address like ":443" or "127.0.0.1:443", not 443'],
  ],
  [
    'a URL as an address',
    with_('":443"', 'redis://u:hunter2@h'),
    ['config.yaml:2:9: server.addr: a URL is no address: write only host:port'],
  ],
  [
    'yes for true',
    with_('mutual_auth: true', 'mutual_auth: yes'),
    ['config.yaml:9:18: server.tls.mutual_auth: must be true or false, not "yes"'],
  ],
  [
    'mutual TLS without a CA',
    with_('    client_ca: /etc/paynet/ca.crt\n', ''),
    [
      'config.yaml:5:3: server.tls.client_ca: is required while server.tls.mutual_auth is true: ' +
        'the path of the CA certificate of the devices',
    ],
  ],
  [
    'an empty list of revocation lists',
    with_('    mutual_auth', '    crl: []\n    mutual_auth'),
    [
      'config.yaml:9:10: server.tls.crl: must be the path of a revocation list, ' +
        'or a list of such paths (not empty), not an empty list',
    ],
  ],
  [
    'an old TLS version',
    with_('    mutual_auth', '    min_version: 1.1\n    mutual_auth'),
    ['config.yaml:9:18: server.tls.min_version: must be "1.3" or "1.2", not 1.1'],
  ],
  [
    'a wrong type byte',
    with_('  max_frame', '  query_rsp_type: 0x06\n  max_frame'),
    ['config.yaml:3:19: server.query_rsp_type: must be 0x05 or 0x85, not 6'],
  ],
  [
    'a section that is a value',
    'server: 5\n',
    [`config.yaml:1:9: server: must be a section with ${SERVER_KEYS}, not 5`],
  ],
  [
    'a section that is a list',
    with_('dispatcher:\n  workers: 32\n  queue: 2048', 'dispatcher: [1]'),
    ['config.yaml:10:13: dispatcher: must be a section with workers, queue, not this list'],
  ],
  [
    'a section with nothing in it',
    'server:\n',
    [
      'config.yaml:1:1: server.tls.cert: is required: the path of the server certificate, or its PEM text',
      'config.yaml:1:1: server.tls.key: is required: the path of the key of server.tls.cert, or its PEM text',
      'config.yaml:1:1: server.tls.client_ca: is required while server.tls.mutual_auth is true: ' +
        'the path of the CA certificate of the devices',
    ],
  ],
  [
    'the section that is needed is not there',
    'frame:\n  length: payload\n',
    ['config.yaml:1:1: the section "server" is required here'],
  ],
  ['an empty file', '', ['config.yaml:1:1: the section "server" is required here']],
  ['a list', '- 1\n', ['config.yaml:1:1: must be sections with keys, like "server:" with its settings below']],
  ['a sentence', 'hello\n', ['config.yaml:1:1: must be sections with keys, like "server:" with its settings below']],
  [
    'Redis without an address',
    with_('  dsn: redis://user:pass@host:6379/0\n', ''),
    [
      'config.yaml:13:1: idempotency.dsn: is required while idempotency.backend is redis: ' +
        'redis://[user:password@]host[:port][/number]',
    ],
  ],
  [
    'an address of Redis that is none, not repeated',
    with_('redis://user:pass@host:6379/0', 'http://user:hunter2@host'),
    ['config.yaml:15:8: idempotency.dsn: must be redis://[user:password@]host[:port][/number]'],
  ],
  [
    'a password that nobody filled in',
    with_('user:pass', 'user:changeme'),
    ['config.yaml:15:8: idempotency.dsn: the password is still a placeholder: put the real one there'],
  ],
  [
    'an unset variable',
    with_('pass', '${REDIS_PASSWORD}'),
    ['config.yaml:15:8: idempotency.dsn: needs the environment variable REDIS_PASSWORD, which is not set'],
  ],
  [
    'a placeholder with a default',
    with_('pass', '${P:-x}'),
    ['config.yaml:15:8: idempotency.dsn: holds a placeholder that is not of the form ${NAME}'],
  ],
  [
    'the value of a variable, not repeated',
    with_('65535', '${SECRET}'),
    ['config.yaml:3:14: server.max_frame: must be a whole number from 1 to 16777216; the value of ${SECRET} is not'],
    {env: {SECRET: 'hunter2'}},
  ],
  [
    'a device that would wait less and less',
    CLIENT_FILE.replace('max: 64s', 'max: 500ms'),
    ['config.yaml:9:10: client.reconnect.max: must not be shorter than client.reconnect.base'],
    {need: 'client'},
  ],
  [
    'a device certificate without its key',
    CLIENT_FILE.replace('    key: /opt/paynet/device.key\n', ''),
    ['config.yaml:3:3: client.tls.key: is required together with client.tls.cert'],
    {need: 'client'},
  ],
  [
    'a device that calls no host',
    CLIENT_FILE.replace('paynet.example.com:443', ':443'),
    ['config.yaml:2:9: client.addr: must be an address like "host:443", not ":443"'],
    {need: 'client'},
  ],
  [
    'an alias',
    `x: &a 1\n${with_('65535', '*a')}`,
    [
      'config.yaml:1:1: x: unknown key; allowed here: server, frame, dispatcher, idempotency, auth, observe, store, api, events, orders, session, hooks, client',
      'config.yaml:4:14: server.max_frame: aliases are not understood here: write the value itself',
    ],
  ],
  [
    'a tag of its own',
    with_('65535', '!!js/function "x"'),
    ['config.yaml:3:14: tags like !name are not understood here'],
  ],
  [
    'a second document',
    `${SERVER_FILE}---\n${SERVER_FILE}`,
    ['config.yaml:16:1: a second document begins here; a configuration is one'],
  ],
  [
    'old YAML',
    `%YAML 1.1\n---\n${SERVER_FILE}`,
    ['config.yaml:1:1: only YAML 1.2 is understood: remove the %YAML line'],
  ],
  [
    'characters that steer a terminal',
    with_('":443"', '"\\u001b[31m\\u202ex"'),
    ['config.yaml:2:9: server.addr: "\\u001b[31m\\u202ex" has no port: write it like "host:443" or ":443"'],
  ],
  [
    'PostgreSQL without its address',
    `${SERVER_FILE}store:\n  engine: postgres\n`,
    [
      'config.yaml:16:1: store.dsn: is required while store.engine is postgres: postgres://user:password@host[:port]/database',
    ],
  ],
  [
    'a webhook without a secret, and secrets that are none: never repeated',
    `${SERVER_FILE}events:\n  url: ftp://example.com\n  secret: [hunter2hunter2hunter2, short]\n  api_key: two words of it\n`,
    [
      'config.yaml:17:8: events.url: must be an address like "https://host/path", without user and password',
      'config.yaml:18:11: events.secret: must be the secret of the webhook, or a list of them: 16 to 256 visible characters without spaces',
      'config.yaml:19:12: events.api_key: must be the key for X-Api-Key: 16 to 256 visible characters without spaces',
    ],
  ],
  [
    'a variable that names no setting',
    SERVER_FILE,
    ['PAYNET_SERVER_MAX_FRAMES: names no setting; did you mean PAYNET_SERVER_MAX_FRAME?'],
    {env: {PAYNET_SERVER_MAX_FRAMES: '1'}},
  ],
  [
    'a variable with a value that does not fit',
    SERVER_FILE,
    ['PAYNET_OBSERVE_LOG_LEVEL: observe.log_level: must be debug, info, warn or error, not "loud"'],
    {env: {PAYNET_OBSERVE_LOG_LEVEL: 'loud'}},
  ],
  [
    'flags',
    SERVER_FILE,
    [
      '--set "max_frame" is no setting; did you mean server.max_frame?',
      '--set "server" is a section: set one of its settings, like server.addr',
      '--set needs key=value, like --set server.max_frame=4096',
      '--set server.limits.per_address: must be a whole number from 1 to 1000000, not "many"',
    ],
    {set: ['max_frame=4', 'server=1', 'hunter2', 'server.limits.per_address=many']},
  ],
];

describe('refused, with place, key, what is wrong and what is allowed', () => {
  test.each(table)('%s', async (_, text, expected, loading) => {
    expect(await problems(text, loading)).toEqual(expected);
  });

  it('everything at once, by line, and then what is not in the file', async () => {
    const text = with_('443', 'x').replace('65535', '0').replace('32', 'many').replace('redis\n', 'disk\n');
    const loading = {env: {PAYNET_OBSERVE_ADR: 'x'}, set: ['frame.length=short']};
    expect((await problems(text, loading)).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'config.yaml:2:9 server.addr',
      'config.yaml:3:14 server.max_frame',
      'config.yaml:11:12 dispatcher.workers',
      'config.yaml:14:12 idempotency.backend',
      'PAYNET_OBSERVE_ADR names no setting; did you mean PAYNET_OBSERVE_ADDR?',
      '--set frame.length must be type+payload or payload, not "short"',
    ]);
  });

  it('says how many there are when they are many', async () => {
    const lines = await problems(Array.from({length: 80}, (_, index) => `k${index}: 1\n`).join(''));
    expect([lines.length, lines.at(-1)]).toEqual([51, 'and 31 more']);
  });

  it('the issues can be read by a program too', async () => {
    await expect(load(with_('65535', '0'))).rejects.toMatchObject({
      issues: [{key: 'server.max_frame', line: 3, column: 14, place: expect.stringContaining('config.yaml:3:14')}],
    });
  });
});
