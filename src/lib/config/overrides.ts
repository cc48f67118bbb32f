import {type ConfigIssue, quote} from './errors.js';
import {nearest} from './nearest.js';
import {textToValue} from './text.js';
import {type Leaf, leaves, leavesByEnv, sections} from './tree.js';

export interface Override {
  leaf: Leaf;
  value: unknown;
  /** The variable's name, or "--set". */
  place: string;
}

export interface Overrides {
  overrides: Override[];
  issues: ConfigIssue[];
}

const SECTION_NAMES = sections
  .get('')!
  .names.map((name) => name.toUpperCase())
  .join('|');
const OURS = new RegExp(`^PAYNET_(?:${SECTION_NAMES})_`);
/** What Kubernetes and Docker links put into every container beside a service called "paynet-server". */
const SERVICE_LINK =
  /_(?:SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** Reads PAYNET_SERVER_MAX_FRAME and its like. Names that begin like a section but name no setting are refused. */
export function fromEnvironment(env: NodeJS.ProcessEnv): Overrides {
  const overrides: Override[] = [];
  const issues: ConfigIssue[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !OURS.test(name)) continue;
    const leaf = leavesByEnv.get(name);
    if (leaf !== undefined) {
      overrides.push({leaf, value: textToValue(leaf, text), place: name});
    } else if (!SERVICE_LINK.test(name)) {
      issues.push({place: name, key: '', message: `names no setting${suggestion(nearest(name, leavesByEnv.keys()))}`});
    }
  }
  return {overrides, issues};
}

/** Reads `--set server.max_frame=4096`; the last of several for one setting counts. */
export function fromFlags(set: readonly string[]): Overrides {
  const overrides: Override[] = [];
  const issues: ConfigIssue[] = [];
  for (const item of set) {
    const cut = item.indexOf('=');
    if (cut <= 0) {
      // The text is not repeated: it may be a secret whose key was forgotten.
      issues.push({place: '--set', key: '', message: 'needs key=value, like --set server.max_frame=4096'});
      continue;
    }
    const key = item.slice(0, cut).trim();
    const leaf = leaves.get(key);
    if (leaf !== undefined) overrides.push({leaf, value: textToValue(leaf, item.slice(cut + 1)), place: '--set'});
    else issues.push({place: '--set', key: '', message: unknownKey(key)});
  }
  return {overrides, issues};
}

function unknownKey(key: string): string {
  const section = sections.get(key);
  if (section !== undefined && key !== '') {
    return `${quote(key)} is a section: set one of its settings, like ${key}.${section.names[0]}`;
  }
  const sameName = [...leaves.keys()].find((known) => known.endsWith(`.${key}`));
  return `${quote(key)} is no setting${suggestion(nearest(key, leaves.keys()) ?? sameName)}`;
}

function suggestion(word: string | undefined): string {
  return word === undefined ? '' : `; did you mean ${word}?`;
}
