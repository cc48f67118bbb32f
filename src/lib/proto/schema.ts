import {fileURLToPath} from 'node:url';
import type protobuf from 'protobufjs';
import {messageOf, PaynetError} from '../errors.js';
import {readTextFile} from '../tls/index.js';
import {safeText} from './json.js';

/** The same place from src and from dist. */
const PAYBOX_FILE = fileURLToPath(new URL('../../../proto/paybox.proto', import.meta.url));
const PAYBOX_IMPORT = 'paybox.proto';
const MAX_PROTO_BYTES = 1024 * 1024;

type Library = typeof protobuf;

/** What .proto files say, by reflection. For tools only: the library compiles its codecs at run time. */
export interface Schema {
  /**
   * A message by its full name, or by its last part where only one message has it; the user's files come before the
   * built-in messages. Throws MESSAGE_UNKNOWN or MESSAGE_AMBIGUOUS.
   */
  message(name: string): protobuf.Type;
  /** Decodes and keeps unknown fields. Throws when the bytes are no such message. */
  decode(type: protobuf.Type, bytes: Uint8Array): protobuf.Message<object>;
  /** The key of a map entry as text: the library hashes those of 64 bits. */
  mapKey(key: string, unsigned: boolean): string;
}

/**
 * Reads the built-in messages and the user's .proto files. An import is found among the files given and among Google's
 * well-known types, nowhere else: a .proto file cannot make this program open another file.
 * Throws FILE_UNREADABLE, FILE_TOO_LARGE, PROTO_INVALID or PROTO_IMPORT_UNKNOWN.
 */
export async function openSchema(files: readonly string[] = []): Promise<Schema> {
  const {default: library} = await import('protobufjs');
  const builtIn = await read(library, [PAYBOX_FILE]);
  const own = await read(library, files);
  return {
    message(name) {
      const found = find(own, name) ?? find(builtIn, name);
      if (found !== undefined) return found;
      throw new PaynetError('MESSAGE_UNKNOWN', `There is no message ${safeText(name)}.`, {
        hint: `Known messages: ${[...own, ...builtIn].map(({name: known}) => known).join(', ')}`,
      });
    },
    decode(type, bytes) {
      const reader = library.Reader.create(bytes);
      reader.discardUnknown = false;
      return type.decode(reader) as protobuf.Message<object>;
    },
    mapKey: (key, unsigned) => String(library.util.longFromKey(key, unsigned)),
  };
}

async function read(library: Library, files: readonly string[]): Promise<protobuf.Type[]> {
  const root = new library.Root();
  const imported = new Set<string>();
  const sources = await Promise.all(
    files.map(async (file) => ({file, text: await readTextFile(file, MAX_PROTO_BYTES)})),
  );
  const pending = [...sources];
  for (let source = pending.shift(); source !== undefined; source = pending.shift()) {
    for (const name of parse(library, root, source.file, source.text)) {
      if (imported.has(name) || files.some((file) => isFile(file, name))) continue;
      imported.add(name);
      const known = library.common.get(name);
      if (known?.nested) root.addJSON(known.nested);
      else if (name === PAYBOX_IMPORT) pending.push({file: PAYBOX_FILE, text: await readTextFile(PAYBOX_FILE)});
      else throw importUnknown(source.file, name);
    }
  }
  const types = typesOf(library, root);
  for (const field of types.flatMap(({fieldsArray}) => fieldsArray)) {
    // Broken UTF-8 is to be shown, not to hide the whole message; the servers read it in this way too.
    if (field.type === 'string') field.setOption('features', {utf8_validation: 'NONE'});
  }
  try {
    root.resolveAll();
  } catch (cause) {
    throw protoInvalid(files.join(', '), cause);
  }
  return types;
}

/** The imports of a file, after adding what it declares to `root`. */
function parse(library: Library, root: protobuf.Root, file: string, text: string): string[] {
  try {
    // The option keeps the comments of fields: they explain values.
    const {imports = [], weakImports = []} = library.parse(text, root, {keepCase: true, alternateCommentMode: true});
    return [...imports, ...weakImports];
  } catch (cause) {
    throw protoInvalid(file, cause);
  }
}

function typesOf(library: Library, space: protobuf.NamespaceBase): protobuf.Type[] {
  return space.nestedArray.flatMap((entry) => {
    if (!(entry instanceof library.Namespace)) return [];
    return entry instanceof library.Type ? [entry, ...typesOf(library, entry)] : typesOf(library, entry);
  });
}

function find(types: readonly protobuf.Type[], name: string): protobuf.Type | undefined {
  const full = types.find((type) => type.fullName === `.${name.replace(/^\./, '')}`);
  if (full !== undefined) return full;
  const short = types.filter((type) => type.name === name);
  if (short.length < 2) return short[0];
  throw new PaynetError('MESSAGE_AMBIGUOUS', `There are ${short.length} messages ${name}.`, {
    hint: `Give the full name: ${short.map(({fullName}) => fullName.slice(1)).join(', ')}`,
  });
}

function isFile(file: string, imported: string): boolean {
  const path = file.replaceAll('\\', '/');
  return path === imported || path.endsWith(`/${imported}`);
}

function importUnknown(file: string, name: string): PaynetError {
  return new PaynetError('PROTO_IMPORT_UNKNOWN', `${file} imports "${safeText(name)}", which was not given.`, {
    hint: 'Name that file with --proto too: no other files are opened.',
  });
}

function protoInvalid(file: string, cause: unknown): PaynetError {
  return new PaynetError('PROTO_INVALID', `${file} is no usable .proto file: ${safeText(messageOf(cause))}`, {cause});
}
