import { InvalidOptionError } from './errors.ts';
import { checkResource } from './options.ts';

/** What one lock is on: its resources, each once and sorted by code units, and the key of each in the same order. */
export interface LockTarget {
  readonly resources: readonly string[];
  readonly keys: readonly string[];
}

/**
 * The target that a caller names, by one resource or by a list of them. The list is a set: a name that comes twice is locked once. All clients
 * ask for keys in the same order, so that of two that want the same keys one comes first on each node.
 *
 * @throws InvalidOptionError for an empty list, and for whatever cannot be a resource
 */
export function targetOf(resources: unknown, keyPrefix: string): LockTarget {
  if (!Array.isArray(resources)) {
    checkResource(resources);
    return { resources: [resources], keys: [keyPrefix + resources] };
  }
  if (resources.length === 0) {
    throw new InvalidOptionError('resources', 'must not be an empty array: name what is to be locked');
  }
  // Not forEach, which skips the holes of an array.
  for (let index = 0; index < resources.length; index += 1) checkResource(resources[index], `resources[${index}]`);
  const sorted = [...new Set(resources as readonly string[])].sort();
  return { resources: sorted, keys: sorted.map((resource) => keyPrefix + resource) };
}
