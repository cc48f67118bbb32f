// The commands are tested as they are built.
import {ensureBuilt} from '../scripts/prepare.js';

export default function setup() {
  ensureBuilt();
}
