import {type ConfigFor, loadConfig} from '../config/index.js';
import {judgeAllocator, ownAllocator} from './allocator.js';
import {backlogLimit, judgeBacklog} from './backlog.js';
import {checkCertificates} from './certificates.js';
import {judgeClock, readClock} from './clock.js';
import {descriptorLimit, judgeDescriptors} from './descriptors.js';
import {checkDisk} from './disk.js';
import {type Finding, ok, problemOf, skipped} from './finding.js';
import {judgeMemory, memoryLimit} from './memory.js';
import {judgeNode} from './node.js';
import {checkPorts} from './ports.js';
import {checkRedis} from './redis.js';
import {type Check, type CheckResult, runChecks} from './run.js';

export interface ExamineOptions {
  /** The configuration of a server; without it the machine alone is looked at. */
  config?: string | undefined;
  /** Where the disk is tried. */
  dir: string;
}

export interface Report {
  /** True when there is no problem; warnings are allowed. */
  ok: boolean;
  checks: CheckResult[];
}

/** What `server.limits.max_connections` is unless it is configured. */
const DEFAULT_DEVICES = 50_000;

/** Looks at the machine and, with a configuration, at the installation. Never throws for what it finds. */
export async function examine(options: ExamineOptions): Promise<Report> {
  const installation = new Installation(options.config);
  const checks: Check[] = [
    {name: 'node', run: () => judgeNode(process.versions.node)},
    {name: 'configuration', run: () => installation.load()},
    {name: 'certificates', run: () => installation.with(({server}) => checkCertificates(server.tls))},
    {name: 'ports', run: () => installation.with(checkPorts)},
    {name: 'redis', run: () => installation.with(redisOf)},
    {name: 'descriptors', run: async () => judgeDescriptors(await descriptorLimit(), installation.devices)},
    {
      name: 'memory',
      run: async () => judgeMemory(memoryLimit(), installation.devices, (await ownAllocator())?.tuned ?? false),
    },
    {name: 'allocator', run: async () => judgeAllocator(await ownAllocator(), process.env)},
    {name: 'disk', run: () => checkDisk(options.dir)},
    {name: 'clock', run: async () => judgeClock(await readClock())},
    {name: 'backlog', run: async () => judgeBacklog(await backlogLimit())},
  ];
  const results = await runChecks(checks);
  return {ok: results.every(({status}) => status !== 'problem'), checks: results};
}

/** The configuration that the checks after its own look at, when it was given and is good. */
class Installation {
  readonly #file: string | undefined;
  #config: ConfigFor<'server'> | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
  }

  get devices(): number {
    return this.#config?.server.limits.max_connections ?? DEFAULT_DEVICES;
  }

  async load(): Promise<Finding> {
    if (this.#file === undefined) return skipped('none given: name the configuration of a server with -c');
    try {
      this.#config = await loadConfig({file: this.#file, need: 'server'});
      return ok(`${this.#file} is good`);
    } catch (error) {
      return problemOf(error, 'Correct the configuration; `paynetctl serve --check` tells the same.');
    }
  }

  async with(check: (config: ConfigFor<'server'>) => Finding | Promise<Finding>): Promise<Finding> {
    if (this.#config !== undefined) return check(this.#config);
    return skipped(this.#file === undefined ? 'without a configuration' : 'until the configuration is good');
  }
}

function redisOf({idempotency: {backend, dsn}}: ConfigFor<'server'>): Finding | Promise<Finding> {
  return backend === 'redis' && dsn !== undefined ? checkRedis(dsn) : skipped('not configured');
}
