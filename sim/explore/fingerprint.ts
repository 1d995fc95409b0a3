import { createHash } from 'node:crypto';
import type { History } from '../history/history.ts';
import { encodeEvent } from '../history/ndjson.ts';
import type { RunKey } from './search.ts';

const BYTES = 32;

/** The sum of no runs. */
export const NO_FINGERPRINT: string = '0'.repeat(2 * BYTES);

/** A SHA-256 of a run's history, as it would stand in a file, and of which run it was. */
export function fingerprintOf({ seed, index }: RunKey, history: History): string {
  const hash = createHash('sha256').update(`${seed} ${index}\n`);
  for (let each = 0; each < history.length; each += 1) hash.update(`${encodeEvent(history.at(each))}\n`);
  return hash.digest('hex');
}

/** The fingerprint of two lots of runs together: in whatever order, and on however many threads they ran, it is the same. */
export function joinedFingerprint(one: string, other: string): string {
  const bytes = Buffer.from(one, 'hex');
  for (const [index, byte] of Buffer.from(other, 'hex').entries()) bytes[index] = (bytes[index] ?? 0) ^ byte;
  return bytes.toString('hex');
}
