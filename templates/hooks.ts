// Decisions of your business. Name this file in the configuration of the server:
//
//   hooks:
//     module: ./hooks.ts
//
// The server asks a hook after its own checks (certificate, device list, what an order may hold), so a hook can only
// refuse more, never allow more. Leave out the hooks that you do not need.
//
// A hook answers true, or {refuse: 'why'}: at most 200 characters, for the log of the device or for whoever ordered. It
// may be async and ask another service. One that throws, answers anything else or takes longer than 5 seconds refuses;
// the log of the server says why.
//
// Keep them fast: devices wait for the answer, and code that does not wait but computes holds up all of them.
import type {Hooks} from 'paynetctl';

export default {
  /** A device that is new, or has lost its memory, asks to be registered. */
  register({deviceSn, model, certificate}) {
    // Here: the certificate must name the device.
    if (certificate !== null && certificate.subject !== deviceSn)
      return {refuse: 'the certificate is of another device'};
    if (model === '') return {refuse: 'a device must say its model'};
    return true;
  },

  /** A device asks to be let in; `resumed` tells that it was here a moment ago. */
  login({version, resumed}) {
    // Here: firmware of the 0.x line has to be updated first.
    if (!resumed && version.startsWith('0.')) return {refuse: `firmware ${version} is too old`};
    return true;
  },

  /** Coins ('coin') or current ('charge') are ordered. Nothing is stored or sent before the answer. */
  async order({orderNo, kind, coins, amountCent}) {
    // Here: at most 50 coins, and never without the money. Amounts are cents. Ask your own service with `await`.
    if (kind === 'coin' && (coins ?? 0) > 50) return {refuse: `order ${orderNo} asks for more than 50 coins`};
    if (amountCent === 0) return {refuse: `order ${orderNo} is not paid`};
    return true;
  },
} satisfies Hooks;
