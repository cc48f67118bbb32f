/** What is wrong with a machine or an installation, and what to do about it. */
export {type Allocator, allocatorOf, judgeAllocator} from './allocator.js';
export {judgeBacklog} from './backlog.js';
export {checkCertificates} from './certificates.js';
export {type ClockReading, judgeClock} from './clock.js';
export {judgeDescriptors, limitIn} from './descriptors.js';
export {checkDisk, judgeDisk} from './disk.js';
export {type ExamineOptions, examine, type Report} from './examine.js';
export {type Finding, type Status, together} from './finding.js';
export {judgeMemory} from './memory.js';
export {judgeNode} from './node.js';
export {checkPorts} from './ports.js';
export {checkRedis} from './redis.js';
export {type Check, type CheckResult, runChecks} from './run.js';
