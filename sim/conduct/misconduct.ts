import type { History } from '../history/history.ts';
import type { Scenario } from '../scenario/schema.ts';

/** What the library does in any world, in the order in which breaches are told. */
export const CONDUCT_RULES = [
  'clean-up',
  'timeliness',
  'vote',
  'validity',
  'attempts',
  'extension',
  'release',
  'refusal',
] as const;
export type ConductRule = (typeof CONDUCT_RULES)[number];

/** One way in which the library did not keep its word, in a sentence for people. */
export interface Misconduct {
  readonly rule: ConductRule;
  readonly message: string;
}

/** Reads a history once, and tells what it finds; of each rule the first breach counts. */
export type Judge = (scenario: Scenario, history: History) => readonly Misconduct[];
