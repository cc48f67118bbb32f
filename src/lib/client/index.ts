/** A client of the HTTP interface: signed calls, the live stream, errors with what to do about them. */
export {type Client, type ClientOptions, createClient, type PostOptions, type Query} from './client.js';
export {CallError} from './errors.js';
export {pathOf} from './path.js';
export {parseServer} from './server-url.js';
export type {StreamEvent, StreamOptions} from './stream.js';
export type * from './wire.js';
