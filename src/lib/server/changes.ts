import type {Change} from '../api/index.js';

/** What happens, for everybody who listens. */
export interface Changes {
  /** Costs nothing while nobody listens: `make` is not called then. */
  tell(make: () => Change): void;
  /** Calls back, in order, until the returned function is called. */
  subscribe(changed: (change: Change) => void): () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    tell(make) {
      if (listeners.size === 0) return;
      const change = make();
      for (const listener of listeners) listener(change);
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}
