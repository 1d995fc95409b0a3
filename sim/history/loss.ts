import type { History } from './history.ts';

const LOST = 'lost: ';

/** The reason, in `run-ended`, of a run that came to nothing through no doing of its scenario. */
export function lossReason(problem: string): string {
  return `${LOST}${problem}`;
}

/** Why the run came to nothing; null if it did not. What else such a history holds proves nothing: whatever broke the run had a hand in it. */
export function lossOf(history: History): string | null {
  const last = history.length === 0 ? null : history.at(history.length - 1);
  return last?.type === 'run-ended' && last.reason.startsWith(LOST) ? last.reason.slice(LOST.length) : null;
}
