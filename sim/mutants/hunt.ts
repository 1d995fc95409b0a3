import type { Mutant } from './mutant.ts';
import { buildSearchProgram } from './search-program.ts';
import { searchInWorker, type SearchOutcome } from './search-worker.ts';

export interface HuntOptions {
  readonly mutants: readonly Mutant[];
  readonly seed: number;
  /** Milliseconds of exploring that each mutant gets. */
  readonly limitMs: number;
  /** Runs that each mutant gets at the most. */
  readonly runs: number;
  /** Whether what breaks is made small. */
  readonly makesSmall: boolean;
  /** How many mutants are hunted at once. */
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: HuntProgress) => void;
}

export interface HuntProgress {
  readonly settled: number;
  readonly all: number;
  /** What is being hunted: the name of a mutant, and the runs so far. */
  readonly current: readonly (readonly [name: string, runs: number])[];
}

/** What came of one mutant. All but the time follows from the seed, unless the time was too short. */
export interface MutantResult {
  readonly mutant: Mutant;
  readonly outcome: SearchOutcome;
  readonly elapsedMs: number;
}

/** Lets the general search loose on each mutant until something breaks or its time is up. The results come in the order of the mutants. */
export async function hunt({
  mutants,
  seed,
  limitMs,
  runs,
  makesSmall,
  threads,
  signal,
  onProgress,
}: HuntOptions): Promise<MutantResult[]> {
  // Patches that do not fit are found before the first search begins.
  const programs = await Promise.all(mutants.map((mutant) => buildSearchProgram(mutant)));
  const results: MutantResult[] = [];
  const current = new Map<string, number>();
  let settled = 0;
  let next = 0;
  const report = (): void => onProgress({ settled, all: mutants.length, current: [...current] });
  const work = async (): Promise<void> => {
    for (;;) {
      const place = next;
      next += 1;
      const [mutant, program] = [mutants[place], programs[place]];
      if (mutant === undefined || program === undefined) return;
      const startMs = performance.now();
      const task = { seed, from: 0, to: runs, makesSmall };
      const onTried = (tried: number): void => {
        current.set(mutant.name, tried);
        report();
      };
      onTried(0);
      const outcome = await searchInWorker(program, task, { limitMs, signal, onTried });
      results[place] = { mutant, outcome, elapsedMs: performance.now() - startMs };
      current.delete(mutant.name);
      settled += 1;
      report();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, mutants.length) }, work));
  return results;
}
