import {describe, expect, it} from 'vitest';
import {object, query} from '../../src/lib/api/schema.js';
import {checkOf} from '../../src/lib/api/validate.js';

const check = checkOf(
  object(
    {
      name: {type: 'string', minLength: 2, maxLength: 4, pattern: '^[a-z]*$'},
      count: {type: ['integer', 'null'], minimum: 1, maximum: 9},
      kind: {type: 'string', enum: ['coin', 'charge']},
      tiers: {type: 'array', minItems: 1, maxItems: 2, items: object({watts: {type: 'integer'}})},
    },
    ['count', 'kind', 'tiers'],
  ),
  'body',
);

describe('a value', () => {
  it.each([
    {name: 'ab'},
    {name: 'abcd', count: 1, kind: 'coin', tiers: [{watts: 3}, {watts: 4}]},
    {name: 'ab', count: null},
  ])('that fits is taken: %j', (value) => {
    expect(() => check(value)).not.toThrow();
  });

  it.each([
    [null, 'the body must be object'],
    [[], 'the body must be object'],
    ['text', 'the body must be object'],
    [{}, 'the body must have the field name'],
    [{name: 'ab', other: 'secret'}, 'the body has no field "other"'],
    [{name: 'ab', ['"\n'.repeat(500)]: 1}, `the body has no field ${JSON.stringify('"\n'.repeat(32))}`],
    [{name: 'ab', 'a/b~c%2F#': 1}, 'the body has no field "a/b~c%2F#"'],
    [{name: 7}, 'name (body) must be string'],
    [{name: 'a'}, 'name (body) must have at least 2 characters'],
    [{name: 'abcde'}, 'name (body) must have at most 4 characters'],
    [{name: 'AB'}, 'name (body) must match ^[a-z]*$'],
    [{name: 'ab', count: '3'}, 'count (body) must be integer or null'],
    [{name: 'ab', count: 1.5}, 'count (body) must be integer or null'],
    [{name: 'ab', count: 0}, 'count (body) must be at least 1'],
    [{name: 'ab', count: 10}, 'count (body) must be at most 9'],
    [{name: 'ab', kind: 'secret'}, 'kind (body) must be one of coin, charge'],
    [{name: 'ab', tiers: []}, 'tiers (body) must have at least 1 items'],
    [{name: 'ab', tiers: [{watts: 1}, {watts: 2}, {watts: 3}]}, 'tiers (body) must have at most 2 items'],
    [{name: 'ab', tiers: [{watts: 1}, {}]}, 'tiers.1 (body) must have the field watts'],
    [{name: 'ab', tiers: [{watts: 1}, {watts: 'x'}]}, 'tiers.1.watts (body) must be integer'],
    [{name: 'ab', tiers: [{watts: 1, volts: 2}]}, 'tiers.0 (body) has no field "volts"'],
  ])('that does not is told in one sentence (%#)', (value, message) => {
    expect(() => check(value)).toThrow(expect.objectContaining({code: 'INVALID_PARAMETER', message}));
  });

  it('gets the defaults of what is missing, and keeps what is there', () => {
    const checkQuery = checkOf(
      query({page: {type: 'integer', minimum: 1, default: 1}, size: {type: 'integer', default: 20}}),
      'query',
    );
    const value = {size: 5};
    checkQuery(value);
    expect(value).toEqual({page: 1, size: 5});
    expect(() => checkQuery({page: 0})).toThrow('page (query) must be at least 1');
  });
});
