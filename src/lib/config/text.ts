import type {Leaf} from './tree.js';

/** What a text from the environment or a flag is for the setting; text that does not fit is left for the schema. */
export function textToValue(leaf: Leaf, text: string): unknown {
  switch (leaf.kind) {
    case 'integer':
      return /^-?\d{1,16}$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'paths':
      return text.startsWith('-----BEGIN') ? text : text.split(',');
    case 'texts':
      return leaf.secret ? text : text.split(',');
    default:
      return text;
  }
}

export interface Substitution {
  text: string;
  /** The variables that were put in. */
  names: string[];
  /** Why it could not be done. */
  problem?: string;
}

/** Puts the environment into "${NAME}" placeholders. Only that form exists; an unset variable is a problem. */
export function substitute(text: string, env: NodeJS.ProcessEnv): Substitution {
  const names: string[] = [];
  const problems: string[] = [];
  const full = text.replace(/\$\{([^}]*)\}?/g, (whole, name: string) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || !whole.endsWith('}')) {
      problems.push(`holds a placeholder that is not of the form \${NAME}`);
      return whole;
    }
    names.push(name);
    const value = env[name];
    if (value === undefined) problems.push(`needs the environment variable ${name}, which is not set`);
    return value ?? whole;
  });
  return {text: full, names, problem: problems[0]};
}
