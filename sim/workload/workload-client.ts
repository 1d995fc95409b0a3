import type { Redlock } from '../../src/redlock.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { DurationRange } from '../scenario/duration.ts';
import type { WriteReply } from './protected-resource.ts';

/** What a script needs of the client that runs it, on whatever backend. Each running script has one of its own. */
export interface WorkloadClient {
  readonly name: string;
  readonly redlock: Redlock;
  /** True time, for the events of the history. */
  timeUs(): number;
  /** True time at which the clock that the library reads will have passed so many milliseconds more. */
  trueUsAfter(milliseconds: number): number;
  record(event: HistoryEvent): void;
  /** The next number of an operation in this run. */
  nextOperation(): number;
  /** Tells that attempts belong to this operation from now on. */
  expectAttempts(operation: number): void;
  /** Tells of a lease, for faults that aim at its holder. */
  noteLease(resource: string, value: string): void;
  /** Resolves after so long by the client's own timers. */
  sleep(milliseconds: number): Promise<void>;
  /** Calls `run` after so long, unless the returned function is called first. */
  schedule(milliseconds: number, run: () => void): () => void;
  drawMs(range: DurationRange): number;
  /** Sends a write to the protected resource; resolves to its answer. */
  write(write: number, lease: number, resource: string, token: number | null): Promise<WriteReply>;
  nextWrite(): number;
  /** Whether the workload was cut off: scripts stop before their next step. The Redlock is then closed, so that no acquire goes on. */
  isCutOff(): boolean;
}
