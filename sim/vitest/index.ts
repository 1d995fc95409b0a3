/** Matchers and a helper for vitest, by which a team puts its own lock settings under test. Importing it registers the matchers. */
import { expect } from 'vitest';
import { type DistrilockMatchers, matchers } from './matchers.ts';

expect.extend(matchers);

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars, @typescript-eslint/no-empty-object-type -- must be declared as vitest declares it
  interface Matchers<T = any> extends DistrilockMatchers {}
}

export type { DistrilockMatchers };
export { scenario, type ScenarioOptions } from './scenario-helper.ts';
export type { RecordedRun } from './recorded-run.ts';
export type * from './scenario-input.ts';
export type { FaultInput } from './fault-input.ts';
export { ScenarioError, type ScenarioProblem } from '../scenario/load-error.ts';
export { PROPERTIES, type Property, type PropertyVerdict, type Violation } from '../checkers/verdict.ts';
export type { Outcome } from '../judge/judgement.ts';
export type * from '../history/event.ts';
export type { History } from '../history/history.ts';
