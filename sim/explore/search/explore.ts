import type { Corpus } from './corpus.ts';
import { addCoverage, type Coverage } from './coverage.ts';
import { joinedFingerprint, NO_FINGERPRINT } from './fingerprint.ts';
import type { Job, JobResult, JobTerms } from './job.ts';
import { type Hit, keysBetween, type RunKey } from './search.ts';
import { makeWorkerPool, WORKER_PROGRAM, type WorkerPool } from './worker-pool.ts';

/** Runs of one job: few, so that what is interrupted is over soon, and that little is run in vain once something broke. */
const RUNS_OF_JOB = 50;

export interface ExploreOptions extends JobTerms {
  readonly seed: number;
  /** How many runs besides those of the corpus; Infinity if only time bounds it. */
  readonly runs: number;
  /** Milliseconds of real time after which no further job begins; Infinity for no such bound. */
  readonly timeMs: number;
  /** How many threads at the most: there are no more than there are jobs. */
  readonly threads: number;
  readonly corpus: Corpus;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Exploration) => void;
  /** What the threads run; their own program if left out. */
  readonly workerProgram?: URL;
}

/** What was tried, and what came of it. But for time, it is the same on however many threads it ran. */
export interface Exploration {
  /** Those of the corpus included. */
  readonly runs: number;
  readonly corpusRuns: number;
  readonly events: number;
  readonly coverage: Coverage;
  /** The run in which something broke, that of the smallest index, unless one of the corpus broke inside the envelope; null if there is none. */
  readonly hit: Hit | null;
  /** Runs of the corpus in which something still breaks outside the envelope. They do not end the search. */
  readonly known: readonly Hit[];
  /** Runs that a thread never left. They end the search; what the thread had run of the same job is lost. */
  readonly stuck: readonly RunKey[];
  readonly firsts: ReadonlyMap<string, RunKey>;
  /** Of all runs but those of the corpus. */
  readonly fingerprint: string;
  readonly elapsedMs: number;
  /** Whether every run of the corpus was run. */
  readonly ranCorpus: boolean;
}

/**
 * Runs the corpus and then new trials on several threads, until something breaks, the budget is used up, or the signal fires. Jobs begin in the
 * order of their runs, and those that had begun before the one in which something broke are ended, so that what is found does not depend on threads.
 */
export async function explore(options: ExploreOptions): Promise<Exploration> {
  const pool = await makeWorkerPool(options.workerProgram ?? WORKER_PROGRAM);
  try {
    return await new ExploreRun(options, pool).run();
  } finally {
    await pool.close();
  }
}

class ExploreRun {
  private readonly options: ExploreOptions;
  private readonly pool: WorkerPool;
  /** When the first thread was there; null until then. */
  private startMs: number | null = null;
  private readonly corpusKeys: readonly RunKey[];
  private readonly jobs: Iterator<RunsOfJob>;
  /** Which job begins next. */
  private next: IteratorResult<RunsOfJob>;
  /** By the number of the job. */
  private readonly results = new Map<number, CountedResult>();
  private jobCount = 0;
  /** The results of so many jobs are in the sums. */
  private counted = 0;
  private readonly coverage: Coverage = {};
  private readonly firsts = new Map<string, RunKey>();
  private readonly known: Hit[] = [];
  private readonly stuck: RunKey[] = [];
  private hit: Hit | null = null;
  private runs = 0;
  private corpusRuns = 0;
  private events = 0;
  private fingerprint = NO_FINGERPRINT;
  private hasHit = false;

  constructor(options: ExploreOptions, pool: WorkerPool) {
    this.options = options;
    this.pool = pool;
    this.corpusKeys = options.corpus.keysFor(options.envelope);
    this.jobs = jobsOf(this.corpusKeys, options.seed, options.runs);
    this.next = this.jobs.next();
  }

  async run(): Promise<Exploration> {
    await Promise.all(Array.from({ length: this.options.threads }, () => this.work()));
    return this.soFar();
  }

  private async work(): Promise<void> {
    const { envelope, properties, fingerprint } = this.options;
    const thread = await this.pool.start(() => this.next.done !== true && !this.isOver());
    if (thread === null) return;
    this.startMs ??= performance.now();
    while (!this.isOver()) {
      const { next } = this;
      if (next.done === true) return;
      this.next = this.jobs.next();
      const number = this.jobCount;
      this.jobCount += 1;
      const job = { ...next.value, envelope, properties, fingerprint };
      const result = await thread.run(job, () => this.isOver());
      if ('stuck' in result) {
        this.stuck.push(result.stuck);
        this.results.set(number, { ...NOTHING, isKnown: job.isKnown });
        this.count();
        return;
      }
      this.results.set(number, { ...result, isKnown: job.isKnown });
      if (result.hit !== null) this.hasHit = true;
      this.count();
    }
  }

  private isOver(): boolean {
    const { signal, timeMs } = this.options;
    return this.hasHit || this.stuck.length > 0 || signal.aborted || this.elapsedMs() >= timeMs;
  }

  private elapsedMs(): number {
    return this.startMs === null ? 0 : performance.now() - this.startMs;
  }

  /** Adds up results in the order of their jobs, up to the first in which something broke. */
  private count(): void {
    for (;;) {
      const result = this.results.get(this.counted);
      if (result === undefined || this.hit !== null) break;
      this.results.delete(this.counted);
      this.counted += 1;
      this.runs += result.runs;
      if (result.isKnown) this.corpusRuns += result.runs;
      this.events += result.events;
      this.hit = result.hit;
      this.known.push(...result.known);
      this.fingerprint = joinedFingerprint(this.fingerprint, result.fingerprint);
      addCoverage(this.coverage, result.coverage);
      for (const [cell, key] of result.firsts) if (!this.firsts.has(cell)) this.firsts.set(cell, key);
    }
    this.options.onProgress(this.soFar());
  }

  private soFar(): Exploration {
    const { runs, corpusRuns, events, coverage, hit, known, stuck, firsts, fingerprint, corpusKeys } = this;
    return {
      runs,
      corpusRuns,
      events,
      coverage,
      hit,
      known: [...known],
      stuck: [...stuck],
      firsts,
      fingerprint,
      elapsedMs: this.elapsedMs(),
      ranCorpus: corpusRuns >= corpusKeys.length,
    };
  }
}

interface CountedResult extends JobResult {
  readonly isKnown: boolean;
}

/** What is known of the runs of a job whose thread had to be ended. */
const NOTHING: JobResult = {
  ...{ runs: 0, events: 0, coverage: {}, hit: null, known: [], firsts: [] },
  fingerprint: NO_FINGERPRINT,
};

type RunsOfJob = Pick<Job, 'keys' | 'isKnown'>;

function* jobsOf(corpusKeys: readonly RunKey[], seed: number, runs: number): Generator<RunsOfJob> {
  for (let from = 0; from < corpusKeys.length; from += RUNS_OF_JOB) {
    yield { keys: corpusKeys.slice(from, from + RUNS_OF_JOB), isKnown: true };
  }
  for (let from = 0; from < runs; from += RUNS_OF_JOB) {
    yield { keys: [...keysBetween(seed, from, Math.min(runs, from + RUNS_OF_JOB))], isKnown: false };
  }
}
