import {UsageError} from '../errors.js';

/** The path of a resource: pathOf`/api/v1/devices/${id}/kick`. Values become one segment each. @throws UsageError */
export function pathOf(fixed: TemplateStringsArray, ...values: string[]): string {
  return fixed.reduce((path, part, index) => `${path}${segmentOf(values[index - 1] ?? '')}${part}`);
}

function segmentOf(value: string): string {
  // On the way they would lead to another resource.
  if (value === '' || value === '.' || value === '..') {
    throw new UsageError(`${JSON.stringify(value)} is no id.`, {hint: 'Give the id as a list shows it.'});
  }
  return encodeURIComponent(value);
}
