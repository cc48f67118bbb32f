export const OPERATIONS = [
  new URL('./operations.ts', import.meta.url),
  new URL('../../src/lib/events/operations.js', import.meta.url),
  new URL('../../src/lib/events/prune.js', import.meta.url),
  new URL('../../src/lib/events/replay.js', import.meta.url),
];

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const quiet = {info: () => {}, warn: () => {}, error: () => {}};
