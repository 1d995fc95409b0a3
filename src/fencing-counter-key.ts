/** What the key of every fencing counter ends in; no resource may. */
export const FENCING_COUNTER_SUFFIX = ':fencing-counter';

/**
 * The key of the counter that belongs to a lock's key. It begins with the lock's key, so that a pattern of an access control list
 * covers both, and lies in the same hash slot of Redis Cluster wherever a name can bring that about: a hash tag in the
 * lock's key holds for the longer key too, and a key without braces becomes the tag itself. (A key with a lone or an empty
 * pair of braces is hashed whole, which no longer key can be made to share: it works on single servers only.)
 *
 * @param key the lock's key as commands name it
 * @param clientPrefix what the client puts before every key, which the hash slot depends on as well
 * @returns the counter's key, before the client puts its prefix there. How a whole key is split into prefix and key makes no difference.
 */
export function fencingCounterKey(key: string, clientPrefix = ''): string {
  const wholeKey = clientPrefix + key;
  return /[{}]/.test(wholeKey) ? key + FENCING_COUNTER_SUFFIX : `${key}{${wholeKey}}${FENCING_COUNTER_SUFFIX}`;
}
