#!/usr/bin/env node
// Runs the commands from the sources as they are now: builds first when something changed.
import {execute} from '@oclif/core';
import {ensureBuilt, ensureInstalled} from '../scripts/prepare.js';

ensureInstalled();
ensureBuilt();
await execute({dir: import.meta.url});
