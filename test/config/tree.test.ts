import {expect, it, test} from 'vitest';
import {nearest} from '../../src/lib/config/nearest.js';
import {fromEnvironment} from '../../src/lib/config/overrides.js';
import {leaves, leavesByEnv} from '../../src/lib/config/tree.js';

it('every setting has a variable of its own', () => {
  expect(leavesByEnv.size).toBe(leaves.size);
  expect(leaves.size).toBeGreaterThan(40);
  expect(leaves.get('server.max_frame')?.env).toBe('PAYNET_SERVER_MAX_FRAME');
  expect(leaves.get('server.tls.min_version')?.env).toBe('PAYNET_SERVER_TLS_MIN_VERSION');
});

it('every variable is understood, and none looks like what a container platform sets', () => {
  const env = Object.fromEntries([...leavesByEnv.keys()].map((name) => [name, 'x']));
  const {overrides, issues} = fromEnvironment(env);
  expect(overrides.map(({place}) => place).sort()).toEqual([...leavesByEnv.keys()].sort());
  expect(issues).toEqual([]);
});

test.each([
  ['max_frme', 'max_frame'],
  ['max-frame', 'max_frame'],
  ['MAX_FRAME', 'max_frame'],
  ['adr', 'addr'],
  ['colour', undefined],
  ['', undefined],
])('the nearest to %j is %j', (word, expected) => {
  expect(nearest(word, ['addr', 'max_frame', 'tls_settings'])).toBe(expected);
});
