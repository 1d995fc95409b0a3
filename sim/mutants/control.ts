import { buildSearchProgram, UNCHANGED } from './search-program.ts';
import { searchInWorker, type SearchOutcome } from './search-worker.ts';

export interface ControlOptions {
  readonly seed: number;
  readonly runs: number;
  /** Whether what breaks is made small. */
  readonly makesSmall: boolean;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress: (runs: number) => void;
}

export interface ControlResult {
  readonly outcome: SearchOutcome;
  /** Of all threads. */
  readonly runs: number;
  readonly elapsedMs: number;
}

/** Lets the same search loose on the library as it is, for so many runs: whoever breaks the mutants must leave it whole. */
export async function control({
  seed,
  runs,
  makesSmall,
  threads: wantedThreads,
  signal,
  onProgress,
}: ControlOptions): Promise<ControlResult> {
  const program = await buildSearchProgram(UNCHANGED);
  // A thread without a run of its own would only take memory.
  const threads = Math.min(wantedThreads, runs);
  const startMs = performance.now();
  const caught = new AbortController();
  const tried = new Array<number>(threads).fill(0);
  const sum = (): number => tried.reduce((one, other) => one + other, 0);
  const outcomes = await Promise.all(
    tried.map(async (_, thread) => {
      const task = { seed, from: bound(runs, thread, threads), to: bound(runs, thread + 1, threads), makesSmall };
      const outcome = await searchInWorker(program, task, {
        limitMs: Number.POSITIVE_INFINITY,
        signal: AbortSignal.any([signal, caught.signal]),
        onTried: (count) => {
          tried[thread] = count;
          onProgress(sum());
        },
      });
      tried[thread] = outcome.runs;
      if (outcome.kind === 'caught') caught.abort();
      return outcome;
    }),
  );
  const outcome =
    outcomes.find(({ kind }) => kind === 'caught') ??
    outcomes.find(({ kind }) => kind === 'interrupted') ??
    outcomes[0];
  // There is at least one thread.
  return { outcome: outcome as SearchOutcome, runs: sum(), elapsedMs: performance.now() - startMs };
}

/** Where the share of a thread begins, and that of the one before it ends. */
function bound(runs: number, thread: number, threads: number): number {
  return Math.floor((runs * thread) / threads);
}
