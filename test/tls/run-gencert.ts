import {handle} from '@oclif/core';
import Gencert from '../../src/commands/tls/gencert.js';

/** The command in a process of its own, as a script would call it. */
await Gencert.run(process.argv.slice(2), import.meta.url).catch(handle);
