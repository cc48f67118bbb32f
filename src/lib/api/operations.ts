import {defineOperation, type Params, prepare} from '../store/index.js';

/** The writes of this module. Give `apiOperations` to the store, so that it can run them. */
export const apiOperations = new URL(import.meta.url);

export interface KeyRow {
  id: string;
  name: string;
  secretHash: string;
  hmacSecretEncrypted: string;
  scopes: string;
  createdAt: number;
  expiresAt: number | null;
}

const insertKey = prepare((db, p: Params<KeyRow>) =>
  db.insertInto('api_keys').values({
    id: p.id,
    name: p.name,
    secret_hash: p.secretHash,
    hmac_secret_encrypted: p.hmacSecretEncrypted,
    scopes: p.scopes,
    created_at: p.createdAt,
    expires_at: p.expiresAt,
  }),
);

const setRevoked = prepare((db, p: Params<{id: string; now: number}>) =>
  db.updateTable('api_keys').set({revoked_at: p.now}).where('id', '=', p.id).where('revoked_at', 'is', null),
);

const setUsed = prepare((db, p: Params<{id: string; now: number}>) =>
  db.updateTable('api_keys').set({last_used_at: p.now}).where('id', '=', p.id),
);

const insertNonce = prepare((db, p: Params<{keyId: string; nonce: string; now: number; expiresAt: number}>) =>
  db
    .insertInto('nonces')
    .values({key_id: p.keyId, nonce: p.nonce, expires_at: p.expiresAt})
    .onConflict((conflict) =>
      conflict
        .columns(['key_id', 'nonce'])
        .doUpdateSet({expires_at: p.expiresAt})
        .where('nonces.expires_at', '<=', p.now),
    ),
);

const deleteNonces = prepare((db, p: Params<{now: number}>) =>
  db.deleteFrom('nonces').where('expires_at', '<=', p.now),
);

const deleteIdempotencyKeys = prepare((db, p: Params<{before: number}>) =>
  db.deleteFrom('idempotency_keys').where('created_at', '<=', p.before),
);

const deleteIdempotencyKey = prepare((db, p: Params<{key: string; before: number}>) =>
  db.deleteFrom('idempotency_keys').where('key', '=', p.key).where('created_at', '<=', p.before),
);

const insertIdempotencyKey = prepare((db, p: Params<{key: string; bodyHash: string; response: string; now: number}>) =>
  db
    .insertInto('idempotency_keys')
    .values({key: p.key, body_hash: p.bodyHash, status: null, response: p.response, created_at: p.now})
    .onConflict((conflict) => conflict.doNothing()),
);

const idempotencyKey = prepare((db, p: Params<{key: string}>) =>
  db.selectFrom('idempotency_keys').selectAll().where('key', '=', p.key),
);

const setResponse = prepare((db, p: Params<{key: string; status: number; response: string}>) =>
  db.updateTable('idempotency_keys').set({status: p.status, response: p.response}).where('key', '=', p.key),
);

export const createKey = defineOperation('api.createKey', async (tx, row: KeyRow): Promise<void> => {
  await tx.run(insertKey, row);
});

/** Whether it was in force until now. */
export const revokeKey = defineOperation(
  'api.revokeKey',
  async (tx, args: {id: string; now: number}): Promise<boolean> => (await tx.run(setRevoked, args)) > 0,
);

export const touchKey = defineOperation('api.touchKey', async (tx, args: {id: string; now: number}): Promise<void> => {
  await tx.run(setUsed, args);
});

/** Whether the nonce was free; from then on it is taken until `expiresAt`. */
export const useNonce = defineOperation(
  'api.useNonce',
  async (tx, args: {keyId: string; nonce: string; now: number; expiresAt: number}): Promise<boolean> =>
    (await tx.run(insertNonce, args)) > 0,
);

export interface Reservation {
  key: string;
  bodyHash: string;
  /** What is kept until there is an answer. */
  response: string;
  now: number;
  /** Keys that were reserved earlier are forgotten. */
  before: number;
}

/** Reserves a key, or answers what stands under it. */
export const reserve = defineOperation('api.reserve', async (tx, args: Reservation) => {
  await tx.run(deleteIdempotencyKey, {key: args.key, before: args.before});
  await tx.run(insertIdempotencyKey, args);
  const row = await tx.first(idempotencyKey, {key: args.key});
  return {bodyHash: row?.body_hash ?? '', status: row?.status ?? null, response: row?.response ?? ''};
});

export const keepResponse = defineOperation(
  'api.keepResponse',
  async (tx, args: {key: string; status: number; response: string}): Promise<void> => {
    await tx.run(setResponse, args);
  },
);

/** Removes nonces and idempotency keys whose time is over. */
export const forgetOld = defineOperation(
  'api.forgetOld',
  async (tx, args: {now: number; before: number}): Promise<void> => {
    await tx.run(deleteNonces, {now: args.now});
    await tx.run(deleteIdempotencyKeys, {before: args.before});
  },
);
