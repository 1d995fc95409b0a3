import { barChart } from '../bar-chart.ts';
import type { Contender } from './contender.ts';
import { titleOf } from './report.ts';
import type { LockResults } from './results.ts';
import { median } from './statistics.ts';

/** The column that is drawn: many locks at a time on five nodes, as a busy service takes them. */
const DRAWN = '5-50';

/** Lock cycles a second of all libraries and of the floors, as SVG. */
export function speedPlot(results: LockResults, contenders: readonly Contender[]): string {
  const drawn = results.speed.find(({ column }) => column.id === DRAWN);
  if (drawn === undefined) throw new Error(`nothing can be drawn: column ${DRAWN} was not measured`);
  const bars = contenders.flatMap((contender) => {
    const outcome = drawn.outcomes.find((each) => each.contender === contender.id);
    if (outcome === undefined || contender.kind === 'option') return [];
    const value = median(outcome.rounds.map(({ cyclesPerSecond }) => cyclesPerSecond));
    return [{ label: titleOf(contender, results), value }];
  });
  return barChart(`Lock cycles a second: ${drawn.column.title}`, bars);
}
