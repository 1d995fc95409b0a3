/** Arbitraries for fast-check: worlds in which a lock shall hold, or those in which it need not, for properties of one's own. */
export { type Finding, findingsOf, type Symptom } from './findings-of.ts';
export { BOUND_NAMES, type BoundName } from '../explore/envelope/envelope.ts';
export { envelopes, faultSchedules, settings, workloads } from './parts.ts';
export { type Trial, type TrialOptions, trials } from './trials.ts';
export type { GivenInput } from './given.ts';
export type { FaultInput } from '../vitest/fault-input.ts';
export type * from '../vitest/scenario-input.ts';
