import { lossReason } from '../history/loss.ts';
import { RunLostError } from './testbed-error.ts';

/** The caller of a run has ended it: no failure. */
export class Interruption extends Error {}

/** Why a run ended, as `run-ended` has it. */
export function reasonOf(failure: Error | null): string {
  if (failure === null) return 'completed';
  if (failure instanceof RunLostError) return lossReason(failure.message);
  return failure instanceof Interruption ? 'interrupted' : `failed: ${failure.message}`;
}
