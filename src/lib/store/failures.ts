import {PaynetError} from '../errors.js';

/** What can go wrong with storage, in one place: code, sentence and what to do. The sentences name no values. */
export const failures = {
  closed: () => new PaynetError('STORE_CLOSED', 'the storage is closed'),
  /** Nothing was written; later calls work again by themselves. */
  full: (cause: unknown) =>
    new PaynetError('STORE_FULL', 'the disk of the storage is full: nothing was written', {
      cause,
      hint: 'Free space on it; the storage goes on by itself.',
    }),
  busy: (what: string, cause?: unknown) =>
    new PaynetError('STORE_BUSY', `${what}: nothing was written`, {cause, hint: 'Try again in a moment.'}),
  timeout: (what: string, cause?: unknown) =>
    new PaynetError('STORE_TIMEOUT', `${what} took too long and was ended: nothing was written`, {cause}),
  unavailable: (why: string, cause: unknown) =>
    new PaynetError('STORE_UNAVAILABLE', `the database cannot be reached (${why}): nothing was written`, {
      cause,
      hint: 'Check that PostgreSQL runs and that store.dsn names it; the storage connects again by itself.',
    }),
  uncertain: (why: string, cause?: unknown) =>
    new PaynetError('STORE_UNCERTAIN', `it is not known whether this was written: ${why}`, {
      cause,
      hint: 'Look it up by its own key before it is tried again.',
    }),
  broken: (why: string, cause?: unknown) =>
    new PaynetError('STORE_BROKEN', `the storage has failed and accepts nothing more: ${why}`, {
      cause,
      hint: 'Check the disk (its space, its health, the system log), then start again.',
    }),
  conflict: (what: string, cause: unknown) =>
    new PaynetError('STORE_CONFLICT', `there is a row with this ${what} already`, {cause}),
  refused: (why: string, cause: unknown) =>
    new PaynetError('STORE_REFUSED', `the database refuses these values: ${why}`, {cause}),
  failed: (why: string, cause: unknown) => new PaynetError('STORE_FAILED', `a statement failed: ${why}`, {cause}),

  damaged: (place: string, why: string, cause?: unknown) =>
    new PaynetError('STORE_DAMAGED', `the database ${place} is damaged: ${why}`, {
      cause,
      hint: 'Nothing was changed. Keep the file for examination and restore a backup in its place.',
    }),
  foreign: (place: string) =>
    new PaynetError('STORE_FOREIGN', `${place} is no database of paynetctl`, {
      hint: 'Nothing was changed. Choose another place with the store settings.',
    }),
  newer: (place: string, theirs: number, ours: number) =>
    new PaynetError('STORE_NEWER', `the database ${place} has schema ${theirs}; this program knows up to ${ours}`, {
      hint: 'Nothing was changed. Use the newer program, or restore the backup made before it was used.',
    }),
  older: (place: string, theirs: number, ours: number) =>
    new PaynetError(
      'STORE_OLDER',
      `the database ${place} has schema ${theirs} and is in use; this program needs schema ${ours}`,
      {hint: 'Nothing was changed. Start the server with this version of the program first.'},
    ),
  locked: (place: string, who: string) =>
    new PaynetError('STORE_LOCKED', `the database ${place} is in use by ${who}`, {
      hint: 'Stop it first: a SQLite database serves one process. For several, use PostgreSQL.',
    }),
  path: (place: string, why: string, cause: unknown) =>
    new PaynetError('STORE_PATH', `the database ${place} cannot be used: ${why}`, {
      cause,
      hint: 'Check store.path: a file in a folder that this program may read and write.',
    }),
  unsafeSqlite: (version: string) =>
    new PaynetError('STORE_SQLITE_VERSION', `SQLite ${version} can damage databases in WAL mode`, {
      hint: 'Install the versions of the lock file (npm ci): SQLite 3.51.3 or later is needed, 3.52.0 excepted.',
    }),
  unsafePostgres: (setting: string) =>
    new PaynetError('STORE_NOT_DURABLE', `PostgreSQL runs with ${setting} = off: a power cut would lose payments`, {
      hint: `Set ${setting} = on for the server, or for this database or role.`,
    }),
  dsn: () =>
    new PaynetError('STORE_DSN', 'store.dsn is no PostgreSQL address', {
      hint: 'Write it like postgres://user:password@host:5432/database.',
    }),
} as const;
