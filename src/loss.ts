import { type LockError } from './errors.ts';
import { quorumOf } from './quorum.ts';

/** Whether so many nodes said that they do not hold the lock, or a part of it, that no quorum can hold it any more: others can have what is gone. */
export function provesLoss({ outcomes }: LockError): boolean {
  return outcomes.filter(({ outcome }) => outcome === 'absent').length >= quorumOf(outcomes.length);
}
