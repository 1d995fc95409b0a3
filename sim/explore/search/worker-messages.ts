import type { JobResult } from './job.ts';

/** What a worker thread tells the main one. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: Error };

/** What a worker thread is started with. */
export interface WorkerData {
  /** One number, in memory that the main thread sees too: how many runs of the job have begun. A thread that never leaves a run can tell in no other way. */
  readonly begun: Int32Array<SharedArrayBuffer>;
}
