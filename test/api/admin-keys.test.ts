import {describe, expect, it} from 'vitest';
import type {CreatedKey} from '../../src/lib/api/index.js';
import {NOW, startTestApi} from './support.js';

const PATH = '/api/v1/api-keys';

describe('API keys over HTTP', () => {
  it('are made, shown without their secrets, used and revoked', async () => {
    const {call, clock} = await startTestApi();
    const made = await call('POST', PATH, {body: {name: 'till 7', scope: 'read', expires_in_seconds: 60}});
    expect(made.json.data).toMatchObject({name: 'till 7', scope: 'read', expires_at: '2025-11-11T12:11:00.000Z'});
    const {id, key, hmac_secret: hmacSecret} = made.json.data as Record<string, string>;
    const used = {id, key, hmacSecret} as CreatedKey;
    expect((await call('GET', '/api/v1/stats', {key: used})).status).toBe(200);

    const listed = await call('GET', PATH);
    expect(listed.json.data.api_keys).toContainEqual(expect.objectContaining({id, name: 'till 7', revoked_at: null}));
    expect(listed.text).not.toContain(key);
    expect(listed.text).not.toContain(hmacSecret);

    expect((await call('POST', `${PATH}/${id}/revoke`)).json.data).toEqual({id});
    expect((await call('GET', '/api/v1/stats', {key: used})).status).toBe(401);
    clock.now = NOW;
    const [row] = ((await call('GET', PATH)).json.data.api_keys as {id: string; revoked_at: string}[]).filter(
      (each) => each.id === id,
    );
    expect(row?.revoked_at).toBe('2025-11-11T12:10:00.000Z');
  });

  it('are for administrators', async () => {
    const {call, keyOf} = await startTestApi();
    const key = await keyOf('write');
    const body = {name: 'mine', scope: 'admin'};
    for (const answer of [
      await call('GET', PATH, {key}),
      await call('POST', PATH, {key, body}),
      await call('POST', `${PATH}/${key.id}/revoke`, {key}),
    ]) {
      expect(answer.json.error_code).toBe('SCOPE_MISSING');
    }
  });

  it('are refused when they are none, and told when they are not there', async () => {
    const {call} = await startTestApi();
    for (const body of [
      {name: 'x', scope: 'all'},
      {name: '', scope: 'read'},
      {name: 'a\u001b[2J', scope: 'read'},
    ]) {
      expect((await call('POST', PATH, {body})).json.error_code).toBe('INVALID_PARAMETER');
    }
    // The length of a name is counted in another way below.
    const long = await call('POST', PATH, {body: {name: '\u{1f600}'.repeat(40), scope: 'read'}});
    expect(long.json.error_code).toBe('INVALID_PARAMETER');
    expect((await call('POST', `${PATH}/000000000000/revoke`)).json.error_code).toBe('API_KEY_NOT_FOUND');
  });

  it('are not kept for an Idempotency-Key', async () => {
    const {call, keys} = await startTestApi();
    const before = (await keys.list()).length;
    const headers = {'idempotency-key': 'once'};
    const refused = await call('POST', PATH, {body: {name: 'till 7', scope: 'read'}, headers});
    expect([refused.status, refused.json.error_code]).toEqual([400, 'INVALID_PARAMETER']);
    expect(await keys.list()).toHaveLength(before);
  });
});
