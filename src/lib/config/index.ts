/** The configuration of servers and devices: one schema for file, environment and flags. */
export {type Address, formatAddress, listenError, parseAddress} from './address.js';
export {formatDuration, LONGEST_DURATION, parseDuration} from './duration.js';
export {ConfigError, type ConfigIssue} from './errors.js';
export {type LoadOptions, loadConfig, parseConfig} from './load.js';
export {nearest} from './nearest.js';
export {printableConfig} from './print.js';
export {
  type ClientConfig,
  type Config,
  type ConfigFor,
  type ConfigInput,
  configJsonSchema,
  type Need,
  type ServerConfig,
} from './schema.js';
