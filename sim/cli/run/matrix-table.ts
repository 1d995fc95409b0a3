import type { Summary } from '../../results/summary.ts';
import { formatMs } from '../../text/duration-text.ts';
import type { Colors } from '../console/colors.ts';
import type { ElapsedTimes } from './elapsed-times.ts';
import { renderLines } from '../console/lines.ts';
import { detailsOf, expectedViolations, namesOf, outcomeText } from './results-table.ts';

/**
 * The table of what ran on several backends, each with a column, with the reasons and the replay commands below each line that is not as
 * expected.
 */
export function renderMatrix(summary: Summary, elapsed: ElapsedTimes, colors: Colors): string {
  const { backends, scenarios, skipped, parity } = summary;
  const names = [...new Set([...scenarios, ...skipped].map(({ scenario }) => scenario))].sort();
  const head = ['scenario', 'expected violations', ...backends.map(({ backend }) => backend), 'parity'];
  const rows = names.map((name) => {
    const cells = scenarios.filter(({ scenario }) => scenario === name);
    const [first] = cells;
    const agree = parity.find(({ scenario }) => scenario === name)?.agree;
    return [
      name,
      first === undefined ? '' : namesOf(expectedViolations(first)),
      ...backends.map(({ backend }) => {
        const cell = cells.find((each) => each.backend === backend);
        if (cell !== undefined) {
          return `${outcomeText(cell.counts, colors)}, ${formatMs(Math.round(elapsed.of(cell)))}`;
        }
        const isSkipped = skipped.some((each) => each.scenario === name && each.backend === backend);
        return isSkipped ? colors.yellow('skipped') : '';
      }),
      agree === undefined ? '' : agree ? 'agree' : colors.yellow('differ'),
    ];
  });
  const [headLines = [], ...lines] = renderLines([head.map((title) => colors.bold(title)), ...rows]);
  const text = names.flatMap((name, index) => [
    ...(lines[index] ?? []),
    ...scenarios.filter(({ scenario }) => scenario === name).flatMap((each) => detailsOf(each, summary)),
  ]);
  return `${[...headLines, ...text].join('\n')}\n`;
}
