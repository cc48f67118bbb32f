/** Where a value or a key was written. */
export interface Origin {
  /** "config.yaml:3:14", "PAYNET_SERVER_ADDR", "--set", or empty. */
  place: string;
  line?: number;
  column?: number;
  /** "${NAME}" when the value came out of a variable, and must not be shown for it may be a secret. */
  variable?: string;
}

/** By joined path, such as "server.tls.cert"; the root is the empty one. */
export interface Origins {
  values: Map<string, Origin>;
  keys: Map<string, Origin>;
}

/** Where something is missing: at the nearest section above it that was written. */
export function nearestOrigin(origins: Origins, path: readonly PropertyKey[]): Origin {
  for (let length = path.length; length >= 0; length--) {
    const origin = origins.keys.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  return {place: ''};
}
