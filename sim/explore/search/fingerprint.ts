import { createHash } from 'node:crypto';
import type { History } from '../../history/history.ts';
import { encodeEvent } from '../../history/ndjson.ts';
import type { RunKey } from './search.ts';

const DIGITS = 64;
const BITS = 256;

/** The sum of no runs. */
export const NO_FINGERPRINT: string = '0'.repeat(DIGITS);

/** A SHA-256 of a run's history, as it would stand in a file, and of which run it was. */
export function fingerprintOf({ seed, index }: RunKey, history: History): string {
  const hash = createHash('sha256').update(`${seed} ${index}\n`);
  for (let each = 0; each < history.length; each += 1) hash.update(`${encodeEvent(history.at(each))}\n`);
  return hash.digest('hex');
}

/**
 * The fingerprint of two lots of runs together, their sum modulo 2^256: in whatever order, and on however many threads they ran, it is the same. A
 * run that is in both counts twice, where an exclusive or would leave no trace of it.
 */
export function joinedFingerprint(one: string, other: string): string {
  const sum = BigInt.asUintN(BITS, BigInt(`0x${one}`) + BigInt(`0x${other}`));
  return sum.toString(16).padStart(DIGITS, '0');
}
