import {UsageError} from '../errors.js';

/**
 * The address of a server: http or https, a host, perhaps a port, nothing else.
 * @throws UsageError; a URL may hold a password, so it is not repeated
 */
export function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hint = 'Write it like https://paynet.example.com or http://127.0.0.1:7055';
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError('The server must be an http or https URL.', {hint});
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('The URL of the server must not hold a user name or password.', {hint});
  }
  // The path is signed: what a proxy takes away in front of it would make every signature wrong.
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new UsageError('The URL of the server ends with its host or port: no path.', {hint});
  }
  return url;
}
