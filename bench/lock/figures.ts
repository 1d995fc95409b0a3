import type { SpeedOutcome, SpeedRound } from './measurement.ts';
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

/**
 * A figure with a node in trouble as a share of that of the same contender on healthy nodes, round by round; null where it finished no cycle, or
 * where all nodes of the column are healthy.
 */
export function shareOfHealthy(
  results: LockResults,
  columnId: string,
  contender: string,
  figure: 'cyclesPerSecond' | 'cpuUsPerCycle',
): Summary | null {
  const outcome = outcomeOf(results, columnId, contender);
  const [rounds, healthy] = [outcome?.rounds, outcome?.healthyRounds].map((each) =>
    (each ?? []).map((round) => round[figure]),
  ) as [number[], number[]];
  const ratios = pairedRatios(rounds, healthy);
  return ratios.length === 0 ? null : summarize(ratios);
}

/** A ratio in words: its median, and half of what the middle half of the rounds takes. */
export function ratioText({ median, interquartileRange }: Summary): string {
  return `${median.toFixed(2)} ± ${(interquartileRange / 2).toFixed(2)}`;
}

/** All rounds of one contender in one column. */
export function roundsOf(results: LockResults, columnId: string, contender: string): readonly SpeedRound[] {
  return outcomeOf(results, columnId, contender)?.rounds ?? [];
}

function outcomeOf(results: LockResults, columnId: string, contender: string): SpeedOutcome | undefined {
  const outcomes = results.speed.find(({ column }) => column.id === columnId)?.outcomes;
  return outcomes?.find((outcome) => outcome.contender === contender);
}
