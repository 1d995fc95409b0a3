import type { JobResult } from './job.ts';

/** What a worker thread tells the main one. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: Error };
