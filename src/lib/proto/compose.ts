import {nearest} from '../config/index.js';
import {PaynetError} from '../errors.js';
import {encodeFrame} from '../frame/index.js';
import {typeText} from '../registry/index.js';
import {type ExplainOptions, explainPaynet} from './explain.js';
import type {Explanation} from './explained.js';
import {safeText} from './json.js';
import {type Meaning, readingOf, wayText} from './meaning.js';
import type {FrameRequest} from './request.js';
import {findField, writeMessage} from './write-message.js';

/**
 * Encodes a frame and explains it as `explainPaynet` would.
 * @throws PaynetError REQUEST_INVALID, TYPE_UNKNOWN, MESSAGE_UNKNOWN, MESSAGE_MISMATCH, FRAME_TOO_LONG and the
 * FIELD_… errors of `writeMessage`
 */
export function composePaynet(
  request: FrameRequest,
  options: Omit<ExplainOptions, 'direction'>,
): Explanation['frames'][number] & {bytes: Buffer} {
  const meaning = meaningFor(request, options.meanings);
  const bytes = encodeFrame(meaning.type, writeMessage(meaning.message, request.fields), options.format);
  const only = meaning.directions.length === 1 ? meaning.directions[0] : undefined;
  // Explained as what it was meant for, not as what its bytes may look like.
  const explained = explainPaynet(bytes, {...options, meanings: [meaning], direction: request.direction ?? only});
  const frame = explained.frames[0];
  if (frame === undefined) throw explained.fault ?? new Error('a frame that was just encoded is none');
  return {...frame, bytes};
}

/** The message that a request means. */
export function meaningFor(request: FrameRequest, meanings: readonly Meaning[]): Meaning {
  const {type, name, direction, fields} = request;
  if (type === undefined && name === undefined) {
    throw new PaynetError('REQUEST_INVALID', 'A frame needs its type or its name.', {
      hint: 'For example 0x04, or CoinCommand.',
    });
  }
  const ofType = type === undefined ? meanings : meanings.filter((meaning) => meaning.type === type);
  if (ofType.length === 0) {
    throw new PaynetError('TYPE_UNKNOWN', `${typeText(type ?? 0)} is no known message.`, {
      hint: `Name its message with --proto FILE --message ${typeText(type ?? 0)}=Name.`,
    });
  }
  const named = ofType.filter((meaning) => name === undefined || isNamed(meaning, name));
  if (named.length === 0) throw nameUnknown(name ?? '', ofType, meanings);
  const fitting = named.filter(({directions}) => direction === undefined || directions.includes(direction));
  const first = fitting[0];
  if (first === undefined) {
    const names = [...new Set(named.map((meaning) => meaning.name))].join(' or ');
    throw new PaynetError('MESSAGE_MISMATCH', `${names} is not sent ${wayText(direction)}.`);
  }
  // By its name alone a QueryRsp is the registry's 0x85, which cannot be mistaken; a 0x05 has to be asked for.
  if (type === undefined) return first;
  return readingOf(fitting, type, direction, numbersOf(fields, fitting)).meaning ?? first;
}

/** The numbers of the given fields, by whichever message has them: they choose between messages of one type. */
function numbersOf(fields: unknown, meanings: readonly Meaning[]): Set<number> {
  if (typeof fields !== 'object' || fields === null) return new Set();
  const found = Object.keys(fields).flatMap((name) => meanings.map(({message}) => findField(message, name)?.id));
  return new Set(found.filter((number) => number !== undefined));
}

function isNamed({name, message}: Meaning, wanted: string): boolean {
  return name === wanted || message.fullName.slice(1) === wanted;
}

function nameUnknown(name: string, ofType: readonly Meaning[], all: readonly Meaning[]): PaynetError {
  if (all.some((meaning) => isNamed(meaning, name))) {
    const first = ofType[0];
    const what = `${typeText(first?.type ?? 0)} is ${[...new Set(ofType.map((meaning) => meaning.name))].join(' or ')}`;
    return new PaynetError('MESSAGE_MISMATCH', `${what}, not ${safeText(name)}.`);
  }
  const names = [...new Set(all.map((meaning) => meaning.name))];
  const near = nearest(name, names);
  return new PaynetError('MESSAGE_UNKNOWN', `There is no message ${safeText(name)}.`, {
    hint: near === undefined ? `Known messages: ${names.join(', ')}` : `Did you mean ${near}?`,
  });
}
