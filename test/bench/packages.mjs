// Packages that are no dependencies of this project: from node_modules or a folder in NODE_PATH, where they are.
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);

export function hasPackage(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

export const loadPackage = (name) => require(name);
