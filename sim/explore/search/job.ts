import type { Property } from '../../checkers/verdict.ts';
import type { Envelope } from '../envelope/envelope.ts';
import { fingerprintOf, joinedFingerprint, NO_FINGERPRINT } from './fingerprint.ts';
import { type RunKey, search, type SearchResult } from './search.ts';

/** What all jobs of one exploration share. */
export interface JobTerms {
  readonly envelope: Envelope;
  readonly properties: readonly Property[];
  /** Whether to take fingerprints, which costs about as much again as the runs. */
  readonly fingerprint: boolean;
}

/** Some runs, for one thread: data, so that it can be sent there. */
export interface Job extends JobTerms {
  readonly keys: readonly RunKey[];
  /** Whether they are of the corpus: what they break outside the envelope is known, and they leave no trace in the fingerprint. */
  readonly isKnown: boolean;
}

export interface JobResult extends SearchResult {
  /** By `kind phase`, the first run of the job that brought the two together. */
  readonly firsts: readonly (readonly [cell: string, key: RunKey])[];
  readonly fingerprint: string;
}

/** Runs a job on this thread; `onBegin` is called before each run. */
export async function runJob(job: Job, onBegin: () => void): Promise<JobResult> {
  const { keys, isKnown, envelope, properties, fingerprint } = job;
  const firsts = new Map<string, RunKey>();
  let sum = NO_FINGERPRINT;
  const result = await search({
    keys,
    envelope,
    properties,
    isKnown,
    onBegin,
    onRun: ({ key, history, coverage }) => {
      for (const cell of Object.keys(coverage)) if (!firsts.has(cell)) firsts.set(cell, key);
      if (fingerprint && !isKnown) sum = joinedFingerprint(sum, fingerprintOf(key, history));
    },
  });
  return { ...result, firsts: [...firsts], fingerprint: sum };
}
