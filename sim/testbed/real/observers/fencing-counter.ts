import { FENCING_COUNTER_SUFFIX } from '../../../../src/fencing-counter-key.ts';

/** Whose fencing counter a key is; null if it is none. */
export function lockKeyOfCounter(name: string): string | null {
  if (!name.endsWith(FENCING_COUNTER_SUFFIX)) return null;
  const rest = name.slice(0, -FENCING_COUNTER_SUFFIX.length);
  return /^(.*)\{\1\}$/s.exec(rest)?.[1] ?? rest;
}
