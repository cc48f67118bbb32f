/** Frames for people: bytes to words and back, by reflection on .proto files. For tools, never for serving. */
export {composePaynet, meaningFor} from './compose.js';
export {type ExplainOptions, explainPaynet} from './explain.js';
export type {ExplainedFrame, Explanation} from './explained.js';
export {isText, parseHex} from './hex.js';
export {type JsonObject, type JsonValue, safeJson} from './json.js';
export {type Meaning, meaningsOf, wayText} from './meaning.js';
export type {UnknownField} from './read-message.js';
export {type FrameRequest, readRequest, readType} from './request.js';
export {openSchema, type Schema} from './schema.js';
export {jsonOfText} from './write-message.js';
