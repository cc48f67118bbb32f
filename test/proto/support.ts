import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {DEFAULT_FORMAT, type FrameFormat} from '../../src/lib/frame/index.js';
import {
  composePaynet,
  explainPaynet,
  type JsonObject,
  meaningsOf,
  openSchema,
  readRequest,
} from '../../src/lib/proto/index.js';
import type {Direction} from '../../src/lib/registry/index.js';

export interface Rules {
  files?: string[];
  names?: [number, string][];
  direction?: Direction;
  format?: Partial<FrameFormat>;
}

/** The library under test with its files opened: hex to frames, JSON to a frame. */
export async function tool({files = [], names = [], direction, format}: Rules = {}) {
  const schema = await openSchema(files);
  const rules = {schema, meanings: meaningsOf(schema, new Map(names)), format: {...DEFAULT_FORMAT, ...format}};
  const explain = (bytes: Buffer | string) => {
    const input = typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes;
    const {frames, fault} = explainPaynet(input, {...rules, direction});
    return {frames: frames.map(({frame}) => frame), remarks: frames.map(({remarks}) => remarks), fault};
  };
  const compose = (json: unknown) => composePaynet(readRequest(json), rules).frame;
  return {schema, explain, compose};
}

/** A .proto file that goes with the test. */
export async function protoFile(text: string, name = 'own.proto'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paynet-proto-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

/** What a call throws, by its code, message and hint. */
export function refusal(work: () => unknown): {code: string; message: string; hint?: string} {
  try {
    work();
  } catch (error) {
    return error as {code: string; message: string; hint?: string};
  }
  throw new Error('it was accepted');
}

export type {JsonObject};
