import type { SpeedRound } from './measurement.ts';
import type { LockResults } from './results.ts';
import { pairedRatios, summarize, type Summary } from './statistics.ts';

/** Cycles a second of one contender in one column; null where it finished none, or was not measured. */
export function speedOf(results: LockResults, columnId: string, contender: string): Summary | null {
  const rounds = roundsOf(results, columnId, contender);
  return rounds.length === 0 ? null : summarize(rounds.map(({ cyclesPerSecond }) => cyclesPerSecond));
}

/** Cycles a second as a share of another contender's, round by round; null where one of them has none. */
export function ratioOf(results: LockResults, columnId: string, contender: string, other: string): Summary | null {
  const [rounds, others] = [contender, other].map((id) =>
    roundsOf(results, columnId, id).map(({ cyclesPerSecond }) => cyclesPerSecond),
  ) as [number[], number[]];
  const ratios = pairedRatios(rounds, others);
  return ratios.length === 0 ? null : summarize(ratios);
}

/** All rounds of one contender in one column. */
export function roundsOf(results: LockResults, columnId: string, contender: string): readonly SpeedRound[] {
  const outcomes = results.speed.find(({ column }) => column.id === columnId)?.outcomes;
  return outcomes?.find((outcome) => outcome.contender === contender)?.rounds ?? [];
}
