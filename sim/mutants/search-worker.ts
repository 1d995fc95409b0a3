import { Worker } from 'node:worker_threads';
import type { Finding } from '../explore/finding.ts';
import type { SmallestRun, WorkerMessage, WorkerTask } from './worker-messages.ts';

export interface SearchLimits {
  /** Milliseconds of exploring after which the search ends; Infinity for no such limit. Making small what was found is not counted. */
  readonly limitMs: number;
  /** A worker that gives no sign of life for so long is stuck in a run. */
  readonly stuckMs?: number;
  readonly signal: AbortSignal;
  /** Told how many runs were tried so far. */
  readonly onTried: (runs: number) => void;
}

/** What came of the runs of one worker. */
export type SearchOutcome =
  | {
      readonly kind: 'caught';
      /** Runs that it took, the one in which something broke included. */
      readonly runs: number;
      readonly index: number;
      readonly finding: Finding;
      /** Null where the search could not make the run smaller, because one did not come to an end. */
      readonly smallest: SmallestRun | null;
    }
  | { readonly kind: 'survived' | 'interrupted'; readonly runs: number };

/** Some hundred times as long as the runs between two signs of life take. */
const STUCK_MS = 20_000;
/** Making small takes some hundred runs, of which no sign is given. */
const SHRINKING_STUCK_MS = 300_000;

/**
 * Threads set a flag of V8 while they load the simulator, and flags are those of the process: they start one after the other.
 */
let lastStart: Promise<unknown> = Promise.resolve();

/** Runs the program, which `buildSearchProgram` made, in a thread of its own. Rejects if the program itself fails. */
export async function searchInWorker(program: string, task: WorkerTask, limits: SearchLimits): Promise<SearchOutcome> {
  let markStarted: (value?: unknown) => void = () => undefined;
  const before = lastStart;
  lastStart = new Promise((resolve) => (markStarted = resolve));
  await before;
  try {
    return await new SearchWorker(program, task, limits, markStarted).outcome;
  } finally {
    markStarted();
  }
}

class SearchWorker {
  readonly outcome: Promise<SearchOutcome>;
  private readonly task: WorkerTask;
  private readonly limits: SearchLimits;
  private readonly markStarted: () => void;
  private settle: (outcome: SearchOutcome) => void = () => undefined;
  private runs = 0;
  private hit: Extract<WorkerMessage, { kind: 'hit' }> | null = null;
  private limitTimer: NodeJS.Timeout | undefined;
  private stuckTimer: NodeJS.Timeout | undefined;

  constructor(program: string, task: WorkerTask, limits: SearchLimits, markStarted: () => void) {
    this.task = task;
    this.limits = limits;
    this.markStarted = markStarted;
    this.outcome = this.run(program);
  }

  private async run(program: string): Promise<SearchOutcome> {
    const { signal } = this.limits;
    if (signal.aborted) return this.unbroken('interrupted');
    const worker = new Worker(program, { eval: true, workerData: this.task });
    const onAbort = (): void => this.settle(this.unbroken('interrupted'));
    try {
      return await new Promise<SearchOutcome>((resolve, reject) => {
        this.settle = resolve;
        signal.addEventListener('abort', onAbort, { once: true });
        worker.on('message', (message: WorkerMessage) => {
          this.heed(message);
        });
        worker.on('error', reject);
        worker.on('exit', (code) => {
          reject(new Error(`a thread that explores ended with code ${code}`));
        });
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(this.limitTimer);
      clearTimeout(this.stuckTimer);
      await worker.terminate();
    }
  }

  private heed(message: WorkerMessage): void {
    switch (message.kind) {
      case 'started':
        this.markStarted();
        this.startTimers();
        break;
      case 'tried':
        this.runs = message.runs;
        this.limits.onTried(message.runs);
        this.stuckTimer?.refresh();
        break;
      case 'hit':
        this.runs = message.runs;
        this.hit = message;
        clearTimeout(this.limitTimer);
        this.watch(SHRINKING_STUCK_MS);
        break;
      case 'smallest':
        this.settle(this.caught(message.smallest));
        break;
      case 'done':
        this.settle(this.unbroken('survived'));
    }
  }

  private startTimers(): void {
    const { limitMs } = this.limits;
    if (Number.isFinite(limitMs)) {
      this.limitTimer = setTimeout(() => this.settle(this.unbroken('survived')), limitMs);
    }
    this.watch(this.limits.stuckMs ?? STUCK_MS);
  }

  /** Takes the worker for stuck if it gives no sign of life for so long. */
  private watch(milliseconds: number): void {
    clearTimeout(this.stuckTimer);
    this.stuckTimer = setTimeout(() => this.settle(this.caught(null)), milliseconds);
  }

  private unbroken(kind: 'survived' | 'interrupted'): SearchOutcome {
    return { kind, runs: this.runs };
  }

  private caught(smallest: SmallestRun | null): SearchOutcome {
    if (this.hit !== null) {
      const { runs, index, finding } = this.hit;
      return { kind: 'caught', runs, index, finding, smallest };
    }
    const index = this.task.from + this.runs;
    const message = `one of the runs from number ${index} on holds virtual time still, and never comes to an end`;
    return {
      kind: 'caught',
      runs: this.runs + 1,
      index,
      finding: { symptom: 'run-failed', because: [], message },
      smallest,
    };
  }
}
