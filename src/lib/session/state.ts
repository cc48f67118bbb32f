/** Where the server's side of a session stands. */
export type SessionState = 'fresh' | 'online' | 'closed';

export type SessionInput = 'loginAccepted' | 'closed';

const NEXT: Record<SessionState, Partial<Record<SessionInput, SessionState>>> = {
  fresh: {loginAccepted: 'online', closed: 'closed'},
  // A device may log in again on the same connection: it gets a new resume token.
  online: {loginAccepted: 'online', closed: 'closed'},
  closed: {closed: 'closed'},
};

/** The state after an input; undefined when the input has no place in this state (a login that ends after the close). */
export function nextState(state: SessionState, input: SessionInput): SessionState | undefined {
  return NEXT[state][input];
}

const BEFORE_LOGIN: ReadonlySet<string> = new Set(['RegisterReq', 'LoginReq', 'Ping', 'ErrorMsg']);

/** Whether a message is served in a state (paynet.md, A session). */
export function admits(state: SessionState, messageName: string): boolean {
  if (state === 'online') return true;
  return state === 'fresh' && BEFORE_LOGIN.has(messageName);
}
