import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {createApiKeys} from '../../src/lib/api/index.js';
import {seal, unseal} from '../../src/lib/api/sealed.js';
import {MASTER_KEY, NOW, openAt, startTestApi, tempFile} from './support.js';

async function newKeys() {
  const path = tempFile();
  const store = await openAt(path);
  const clock = {now: NOW};
  const open = (masterKey: Uint8Array = MASTER_KEY) => createApiKeys({store, masterKey, now: () => clock.now});
  return {path, store, clock, open, keys: open()};
}

describe('API keys', () => {
  it('are shown once, and their secrets are not in the file', async () => {
    const {path, store, keys} = await newKeys();
    const made = await keys.create({name: 'till', scope: 'write'});
    expect(made.key).toMatch(/^pnk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(made.hmacSecret, 'base64url')).toHaveLength(32);
    const {key, hmacSecret, ...info} = made;
    expect(info).toEqual({
      id: key.slice(4, 16),
      name: 'till',
      scope: 'write',
      createdAt: NOW,
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
    });
    expect(await keys.list()).toEqual([info]);
    await store.close();
    const file = readFileSync(path);
    expect(file.includes(info.id)).toBe(true);
    expect(file.includes(key.slice(17))).toBe(false);
    expect(file.includes(hmacSecret)).toBe(false);
  });

  it('are valid two at once, until one is revoked', async () => {
    const {keys} = await newKeys();
    const old = await keys.create({name: 'till', scope: 'write'});
    const next = await keys.create({name: 'till', scope: 'write'});
    const found = await keys.find(old.key);
    expect(found).toMatchObject({id: old.id, scope: 'write'});
    expect(found?.hmacSecret.export().toString()).toBe(old.hmacSecret);
    expect(keys.cached(old.key)).toBe(found);
    expect(keys.cached(`${old.key.slice(0, -1)}${old.key.endsWith('A') ? 'B' : 'A'}`)).toBeUndefined();
    expect((await keys.find(next.key))?.id).toBe(next.id);
    await keys.revoke(old.id);
    await keys.revoke(old.id);
    expect(await keys.find(old.key)).toBeUndefined();
    expect(await keys.isInForce(old.id)).toBe(false);
    expect((await keys.find(next.key))?.id).toBe(next.id);
    await expect(keys.revoke('000000000000')).rejects.toMatchObject({code: 'API_KEY_NOT_FOUND'});
  });

  it('that another node has revoked are refused within seconds', async () => {
    const {keys, open, clock} = await newKeys();
    const key = await keys.create({name: 'till', scope: 'read'});
    expect(await keys.find(key.key)).toBeDefined();
    await open().revoke(key.id);
    clock.now += 5000;
    expect(await keys.find(key.key)).toBeUndefined();
  });

  it('end when they expire', async () => {
    const {keys, clock} = await newKeys();
    const key = await keys.create({name: 'guest', scope: 'read', expiresAt: NOW + 1000});
    clock.now += 999;
    expect(await keys.find(key.key)).toBeDefined();
    clock.now += 1;
    expect(await keys.find(key.key)).toBeUndefined();
    for (const expiresAt of [NOW, NOW + 1000, 1.5, Number.NaN]) {
      await expect(keys.create({name: 'past', scope: 'read', expiresAt})).rejects.toMatchObject({
        code: 'API_KEY_INVALID',
      });
    }
  });

  it('note their last use once a minute', async () => {
    const {keys, store, clock} = await newKeys();
    const {id} = await keys.create({name: 'till', scope: 'read'});
    const before = store.figures.operations;
    for (let second = 0; second < 60; second += 1) {
      await keys.used(id);
      clock.now += 1000;
    }
    expect(store.figures.operations - before).toBe(1);
    await keys.used(id);
    expect((await keys.list())[0]?.lastUsedAt).toBe(NOW + 60_000);
  });

  it('need the master key that they were made with', async () => {
    const {keys, open} = await newKeys();
    const key = await keys.create({name: 'till', scope: 'read'});
    await expect(open(Buffer.alloc(32, 8)).find(key.key)).rejects.toMatchObject({code: 'MASTER_KEY_WRONG'});
    expect(() => open(Buffer.alloc(16))).toThrow('it must have 32');
  });

  it('that were revoked are refused at once over HTTP', async () => {
    const {keys, key, call} = await startTestApi();
    expect((await call('GET', '/api/v1/stats')).status).toBe(200);
    await keys.revoke(key.id);
    expect((await call('GET', '/api/v1/stats')).status).toBe(401);
  });

  it('are in no line of the log', async () => {
    const {key, call, log} = await startTestApi();
    await call('GET', '/api/v1/stats');
    await call('GET', '/api/v1/stats', {headers: {'x-signature': '0'.repeat(64)}});
    const lines = JSON.stringify(log.lines);
    expect(lines).toContain(key.id);
    expect(lines).not.toContain(key.key.slice(17));
    expect(lines).not.toContain(key.hmacSecret);
  });
});

describe('a sealed secret', () => {
  it('opens with its key and owner only, and when nobody has touched it', () => {
    const sealed = seal(MASTER_KEY, 'a', 'secret');
    expect(unseal(MASTER_KEY, 'a', sealed)).toBe('secret');
    expect(seal(MASTER_KEY, 'a', 'secret')).not.toBe(sealed);
    expect(() => unseal(MASTER_KEY, 'b', sealed)).toThrow('cannot be decrypted');
    expect(() => unseal(randomBytes(32), 'a', sealed)).toThrow('cannot be decrypted');
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => unseal(MASTER_KEY, 'a', `v1.${changed.toString('base64url')}`)).toThrow('cannot be decrypted');
    }
    for (const broken of ['', 'v1.', 'v1.AAAA', sealed.replace('v1', 'v2'), sealed.slice(0, 30)]) {
      expect(() => unseal(MASTER_KEY, 'a', broken)).toThrow('cannot be decrypted');
    }
  });
});
