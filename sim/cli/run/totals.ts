import { type BackendSummary, flakinessText } from '../../results/backend-summary.ts';
import type { OutcomeCounts } from '../../results/outcome-counts.ts';
import { differenceText } from '../../results/parity.ts';
import type { Summary } from '../../results/summary.ts';
import { visibleLines, visibleText } from '../../text/visible-text.ts';
import { unavailableText, withRemedy } from '../backends.ts';
import type { Colors } from '../console/colors.ts';

/** How many runs came out how, over all and for each backend; how flaky each is, and whether they agree. */
export function renderTotals({ totals, backends, parity }: Summary, colors: Colors): string {
  const lines = [`${countsText(totals, colors)}${skippedCount(totals.skipped, colors)}`];
  if (backends.length > 1) {
    for (const backend of backends) lines.push(`  ${backend.backend}: ${backendText(backend, colors)}`);
  }
  for (const backend of backends) {
    const text = flakinessText(backend);
    if (text !== null) lines.push(`Flakiness of ${backend.backend}: ${text}`);
  }
  const differing = parity.filter(({ agree }) => !agree);
  if (parity.length > 0) {
    const agreeing = parity.length - differing.length;
    lines.push(
      `Parity: the backends agree on every property of ${agreeing} of ${parity.length} ${parity.length === 1 ? 'scenario' : 'scenarios'}`,
    );
  }
  for (const { scenario, differences } of differing) {
    lines.push(
      ...differences.map((each) => colors.yellow(`  ${scenario} differs in ${visibleText(differenceText(each))}`)),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** What did not run, why, and the remedy; empty if everything did. */
export function renderSkips({ backends, skipped }: Summary, colors: Colors): string {
  const absent = backends.flatMap(({ backend, unavailable }) =>
    unavailable === null ? [] : [`Skipped, so not proven: ${unavailableText(backend, unavailable)}`],
  );
  const isAbsent = new Set(backends.filter(({ unavailable }) => unavailable !== null).map(({ backend }) => backend));
  const others = skipped
    .filter(({ backend }) => !isAbsent.has(backend))
    .map(
      ({ scenario, backend, reason, remedy }) =>
        `Skipped, so not proven: ${scenario} on ${backend}: ${withRemedy(reason, remedy)}`,
    );
  return [...absent, ...others].map((line) => `${colors.yellow(visibleLines(line))}\n`).join('');
}

function backendText({ totals, skipped, unavailable }: BackendSummary, colors: Colors): string {
  if (unavailable !== null) return colors.yellow('did not run');
  return `${countsText(totals, colors)}${skippedCount(skipped, colors)}`;
}

/** `25 runs: 24 as expected, 1 not as expected, 0 unknown`. */
function countsText({ runs, asExpected, notAsExpected, unknown }: OutcomeCounts, colors: Colors): string {
  // A zero is no news, good or bad: it has no colour.
  const part = (count: number, words: string, paint: (text: string) => string): string =>
    count === 0 ? `0 ${words}` : paint(`${count} ${words}`);
  const parts = [
    part(asExpected, 'as expected', colors.green),
    part(notAsExpected, 'not as expected', colors.red),
    part(unknown, 'unknown', colors.yellow),
  ];
  return `${runs === 1 ? '1 run' : `${runs} runs`}: ${parts.join(', ')}`;
}

function skippedCount(count: number, colors: Colors): string {
  return count === 0 ? '' : `, ${colors.yellow(`${count} skipped`)}`;
}
