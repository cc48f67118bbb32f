/** Decisions of the business, in a module of the project's own. */
export {type GuardedHooks, type GuardOptions, guardHooks} from './guard.js';
export {
  defineHooks,
  type HookAnswer,
  type HookCertificate,
  type HookName,
  type Hooks,
  type LoginHookRequest,
  type OrderHookRequest,
  type RegisterHookRequest,
} from './hooks.js';
export {loadHooks} from './load.js';
