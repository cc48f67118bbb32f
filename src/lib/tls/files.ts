import {randomBytes} from 'node:crypto';
import {constants} from 'node:fs';
import {access, type FileHandle, link, mkdir, open, rename, unlink} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import {checkedCn} from './names.js';

/** A certificate, key or CA bundle is a few kilobytes; a file far larger than that is the wrong file. */
export const MAX_PEM_BYTES = 1024 * 1024;

export interface NewFile {
  path: string;
  data: string | Uint8Array;
  /** The permission bits, set when the file is created: never readable by others for an instant. */
  mode: number;
}

/**
 * Writes one file so that a reader sees the old content or the new, never a part of it, also after a power cut.
 * Without `overwrite` an existing file is left alone: PaynetError FILE_EXISTS, decided by the file system itself,
 * so two writers cannot both win.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: {mode: number; overwrite: boolean},
): Promise<void> {
  await writeFilesTogether([{path, data, mode: options.mode}], options.overwrite);
}

/**
 * Writes files that belong together, such as a key and its certificate: all of them or none. Everything is on the
 * disk under temporary names before the first one gets its name; when a later one fails, the earlier ones are
 * taken back (with `overwrite`, the former content is put back). Errors: FILE_EXISTS, FILE_UNWRITABLE.
 */
export async function writeFilesTogether(files: readonly NewFile[], overwrite: boolean): Promise<void> {
  const staged: {file: NewFile; temporary: string}[] = [];
  const undo: (() => Promise<void>)[] = [];
  const backups: string[] = [];
  try {
    for (const file of files) {
      const temporary = temporaryName(file.path);
      staged.push({file, temporary});
      await writeTemporary(temporary, file);
    }
    for (const {file, temporary} of staged) {
      if (overwrite) {
        const backup = await keepFormer(file.path);
        if (backup !== undefined) backups.push(backup);
        await rename(temporary, file.path);
        undo.push(() => (backup === undefined ? unlink(file.path) : rename(backup, file.path)));
      } else {
        await link(temporary, file.path);
        undo.push(() => unlink(file.path));
      }
    }
    for (const directory of new Set(files.map((file) => dirname(file.path)))) await syncDirectory(directory);
  } catch (error) {
    for (const step of undo.reverse()) await ignoreMissing(step());
    throw writeFault(error, files);
  } finally {
    for (const {temporary} of staged) await ignoreMissing(unlink(temporary));
    for (const backup of backups) await ignoreMissing(unlink(backup));
  }
}

/** Creates a folder and those above it; a private one is closed to everybody else. Errors: FILE_UNWRITABLE. */
export async function makeFolder(path: string, visibility: 'private' | 'public'): Promise<void> {
  try {
    await mkdir(path, {recursive: true, mode: visibility === 'private' ? 0o700 : 0o755});
  } catch (error) {
    throw new PaynetError('FILE_UNWRITABLE', `The folder ${path} cannot be created: ${reasonOf(error)}.`, {
      cause: error,
      hint: 'Name a folder that you may write to.',
    });
  }
}

/**
 * Reads a text file of at most `maxBytes`.
 * Errors: FILE_UNREADABLE (missing, no permission, a folder), FILE_TOO_LARGE.
 */
export async function readTextFile(path: string, maxBytes = MAX_PEM_BYTES): Promise<string> {
  return withFile(path, (file) => readBounded(file, path, maxBytes));
}

/**
 * Reads a file that holds a secret; refuses it when its group or others can read it. The permission is asked of the
 * opened file, so it cannot be exchanged in between.
 * Errors: as `readTextFile`, and KEY_PERMISSIONS.
 */
export async function readPrivateFile(path: string): Promise<string> {
  return withFile(path, async (file) => {
    const {mode} = await file.stat();
    // Windows has no such bits: Node reports 0666 for every file there.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(3, '0');
      throw new PaynetError('KEY_PERMISSIONS', `The key ${path} is open to other users (mode ${octal}).`, {
        hint: `Run: chmod 600 ${path}`,
      });
    }
    return readBounded(file, path, MAX_PEM_BYTES);
  });
}

/** Whether there is anything at a path. Errors: FILE_UNREADABLE when even that cannot be seen. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw new PaynetError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(error)}.`, {cause: error});
  }
}

/** The file name (without extension) for a device or host name; UsageError when the name could leave the folder. */
export function fileNameFor(name: string): string {
  return checkedCn(name);
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await use(file);
  } catch (error) {
    if (error instanceof PaynetError) throw error;
    throw new PaynetError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(error)}.`, {cause: error});
  } finally {
    await file?.close();
  }
}

async function readBounded(file: FileHandle, path: string, maxBytes: number): Promise<string> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new PaynetError('FILE_UNREADABLE', `${path} cannot be read: it is not a file.`);
  if (stat.size > maxBytes) {
    throw new PaynetError('FILE_TOO_LARGE', `${path} has ${stat.size} bytes; at most ${maxBytes} are read.`, {
      hint: 'Check that it is the right file.',
    });
  }
  return file.readFile('utf8');
}

async function writeTemporary(temporary: string, file: NewFile): Promise<void> {
  const handle = await open(temporary, 'wx', file.mode);
  try {
    // The mode at creation passes through the umask; what was asked for is what must be there.
    await handle.chmod(file.mode);
    await handle.writeFile(file.data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A second name for the present content, so that it can be put back; undefined when there is none. */
async function keepFormer(path: string): Promise<string | undefined> {
  const backup = temporaryName(path);
  try {
    await link(path, backup);
    return backup;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function ignoreMissing(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
}

function writeFault(error: unknown, files: readonly NewFile[]): PaynetError {
  if (codeOf(error) === 'EEXIST') {
    // link() names both ends: `dest` is the name that was taken.
    const path = (error as NodeJS.ErrnoException & {dest?: string}).dest ?? files[0]?.path ?? '';
    return new PaynetError('FILE_EXISTS', `${path} exists already; nothing was written.`, {
      cause: error,
      hint: 'Use --force to replace it, or choose another folder.',
    });
  }
  const paths = files.map((file) => file.path).join(', ');
  return new PaynetError('FILE_UNWRITABLE', `${paths} cannot be written: ${reasonOf(error)}.`, {
    cause: error,
    hint: 'Check that the folder exists, that you may write to it and that the disk is not full.',
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'a file of that name is in the way',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links form a circle',
  ENXIO: 'it is not a file',
};

function reasonOf(error: unknown): string {
  return REASONS[codeOf(error) ?? ''] ?? messageOf(error);
}
