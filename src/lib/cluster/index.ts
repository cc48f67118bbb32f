export {type Claim, type Idempotency, memoryIdempotency} from './idempotency.js';
export {redisIdempotency} from './redis-idempotency.js';
