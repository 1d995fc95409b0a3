import type { History } from '../../history/history.ts';
import { tablesOf } from '../../history/tables/table-reader.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { cleanUpFlaw } from './clean-up.ts';
import { timelinessFlaw } from './timeliness.ts';
import { voteFlaw } from './votes.ts';

/**
 * What the library does in any world, whatever comes of it: it removes what nobody relies on, answers in time, and fails an attempt only if the votes
 * say so. Availability that chance decides cannot be demanded of a single run; these can.
 */
export const CONDUCT_RULES = ['clean-up', 'timeliness', 'vote'] as const;
export type ConductRule = (typeof CONDUCT_RULES)[number];

/** One way in which the library did not keep its word, in a sentence for people. */
export interface Misconduct {
  readonly rule: ConductRule;
  readonly message: string;
}

const FLAWS: Readonly<Record<ConductRule, (scenario: Scenario, history: History) => string | null>> = {
  'clean-up': cleanUpFlaw,
  timeliness: timelinessFlaw,
  vote: voteFlaw,
};

/** The first breach of each rule, in the order of the rules. A run that was cut short is not judged: what is missing might have come. */
export function misconductIn(scenario: Scenario, history: History): readonly Misconduct[] {
  if (tablesOf(history).endReason !== 'completed') return [];
  return CONDUCT_RULES.flatMap((rule) => {
    const message = FLAWS[rule](scenario, history);
    return message === null ? [] : [{ rule, message }];
  });
}
