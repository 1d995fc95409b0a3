import type { History } from '../history/history.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import type { Scenario } from '../scenario/schema.ts';
import { attemptFlaws } from './attempts.ts';
import { cleanUpFlaws } from './clean-up.ts';
import { leaseCallFlaws } from './lease-calls.ts';
import { CONDUCT_RULES, type Judge, type Misconduct } from './misconduct.ts';
import { timelinessFlaws } from './timeliness.ts';
import { voteFlaws } from './votes.ts';

const JUDGES: readonly Judge[] = [cleanUpFlaws, timelinessFlaws, voteFlaws, attemptFlaws, leaseCallFlaws];

/**
 * What the library owes its callers in any world, whatever comes of it: the first breach of each rule, in the order of the rules. Availability that chance
 * decides cannot be demanded of a single run; these can. A run that was cut short is not judged: what is missing might have come.
 */
export function misconductIn(scenario: Scenario, history: History): readonly Misconduct[] {
  if (tablesOf(history).endReason !== 'completed') return [];
  const found = JUDGES.flatMap((judge) => judge(scenario, history));
  if (found.length === 0) return found;
  return CONDUCT_RULES.flatMap((rule) => found.find((each) => each.rule === rule) ?? []);
}
