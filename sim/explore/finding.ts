import type { Property } from '../checkers/verdict.ts';
import type { Trial } from './arbitraries/scenario.ts';
import { leavesInTime, overstepped } from './envelope/assumptions.ts';
import { answersInTime } from '../conduct/call-times.ts';
import { misconductIn } from '../conduct/conduct.ts';
import type { ConductRule } from '../conduct/misconduct.ts';
import { type BoundName, boundsNeededBy } from './envelope/envelope.ts';
import type { Execution } from './execute.ts';

/** What is wrong with a run: a property that is violated, a rule of conduct that is broken, or `run-failed` where it could not even be judged. */
export type Symptom = Property | ConductRule | 'run-failed';

/** A run in which something broke. */
export interface Finding {
  readonly symptom: Symptom;
  /**
   * The bounds without which this could not have happened, of those that the scenario oversteps. None of them: the world kept within the
   * envelope, and it is a defect of the library or of the testbed.
   */
  readonly because: readonly BoundName[];
  /** The first violation, or the error, in a sentence for people. */
  readonly message: string;
}

/** Everything that broke in a run and was promised to hold, defects first; else in the order of the properties, and then of the rules of conduct. */
export function findingsOf({ scenario }: Trial, { verdicts, failure, history }: Execution): readonly Finding[] {
  if (failure !== null) return [{ symptom: 'run-failed', because: [], message: failure.message }];
  const conduct = misconductIn(scenario, history).map(({ rule, message }): Finding => ({
    symptom: rule,
    because: [],
    message,
  }));
  const violated = verdicts.filter((verdict) => verdict.status === 'violated');
  if (violated.length === 0) return conduct;
  const open = overstepped(scenario);
  const { fencing } = scenario.settings;
  const broken = violated.flatMap(({ property, violations }): Finding[] => {
    const because = boundsNeededBy(property, fencing).filter((bound) => open.has(bound));
    if (!isPromised(property, scenario)) return [];
    return [{ symptom: property, because, message: violations[0]?.message ?? '' }];
  });
  const findings = [...broken, ...conduct];
  return [...findings.filter(isDefect), ...findings.filter((finding) => !isDefect(finding))];
}

/** The first finding that is a defect, or breaks one of these properties. */
export function firstWanted(findings: readonly Finding[], properties: readonly Property[]): Finding | null {
  return findings.find((each) => isDefect(each) || properties.some((property) => property === each.symptom)) ?? null;
}

/** Whether it happened although the world kept within the envelope. */
export function isDefect({ because }: Finding): boolean {
  return because.length === 0;
}

/**
 * Nobody can lock anything on a network so slow that answers miss the time out. A client that stays in its section for longer than its lock lives breaks what only holders in time are promised, in any world. And how often
 * one must try until split votes are won depends on who else tries: availability is for scenarios to demand that say so.
 */
function isPromised(property: Property, scenario: Trial['scenario']): boolean {
  if (property === 'availability') return false;
  if (property === 'deadlock-freedom') return answersInTime(scenario);
  const needsLeavingInTime =
    property === 'critical-section' || (property === 'resource-integrity' && !scenario.settings.fencing);
  return !needsLeavingInTime || leavesInTime(scenario);
}
