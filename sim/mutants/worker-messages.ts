import type { Trial } from '../explore/arbitraries/scenario.ts';
import type { Finding } from '../explore/finding.ts';

/** Which runs of a seed a worker is to try, in this order: from the index `from` up to, but not including, `to`. */
export interface WorkerTask {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Whether a run in which something breaks is made small. */
  readonly makesSmall: boolean;
}

/** The smallest run in which what was found still happens. */
export interface SmallestRun {
  readonly trial: Trial;
  readonly finding: Finding;
  /** Runs that making it small took. */
  readonly executions: number;
}

/** What a worker tells: first `started`, then `tried` again and again, and in the end `done`; or `hit`, and `smallest` (null where it was not to be made small). */
export type WorkerMessage =
  | { readonly kind: 'started' }
  | { readonly kind: 'tried'; readonly runs: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'hit'; readonly runs: number; readonly index: number; readonly finding: Finding }
  | { readonly kind: 'smallest'; readonly smallest: SmallestRun | null };
