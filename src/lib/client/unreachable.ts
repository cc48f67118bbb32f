import {codeOf, messageOf} from '../errors.js';
import {CallError} from './errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it does not answer',
  ECONNABORTED: 'the connection was cut',
  EPROTO: 'it does not speak TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** A failure of the network as an error; `isUncertain`: the request may have arrived. */
export function unreachable(error: unknown, server: URL, isUncertain: boolean): CallError {
  const code = codeOf(error) ?? '';
  const isUntrusted = UNTRUSTED.has(code);
  const reason = isUntrusted ? 'its certificate is of an unknown authority' : (REASONS[code] ?? messageOf(error));
  return new CallError('SERVER_UNREACHABLE', `The server cannot be reached: ${reason}.`, {
    cause: error,
    isUncertain,
    hint: isUntrusted
      ? `Name the authority of ${server.origin} with --ca.`
      : `Check that ${server.origin} is the address of its HTTP interface, and that it runs.`,
  });
}
