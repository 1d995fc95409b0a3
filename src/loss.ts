import { type LockError } from './errors.ts';
import { quorumOf } from './quorum.ts';

/** Whether so many nodes said that they do not hold the lock that others can have it now. */
export function provesLoss({ outcomes }: LockError): boolean {
  return outcomes.filter(({ outcome }) => outcome === 'absent').length >= quorumOf(outcomes.length);
}
