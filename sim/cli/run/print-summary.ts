import type { Summary } from '../../results/summary.ts';
import { visibleText } from '../../text/visible-text.ts';
import { colorsFor } from '../console/colors.ts';
import type { ElapsedTimes } from './elapsed-times.ts';
import type { Host } from '../console/host.ts';
import { renderMatrix } from './matrix-table.ts';
import { renderResults } from './results-table.ts';
import { renderSkips, renderTotals } from './totals.ts';

/**
 * Prints what came of a command: tables for people, or the summary alone as JSON, and then what was skipped on standard error. `indexPath` is the page that
 * tells of it; null if it could not be written.
 */
export function printSummary(
  summary: Summary,
  elapsed: ElapsedTimes,
  indexPath: string | null,
  asJson: boolean,
  { stdout, stderr, environment }: Host,
): void {
  if (asJson) {
    stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    stderr.write(renderSkips(summary, colorsFor(stderr, environment)));
    return;
  }
  const colors = colorsFor(stdout, environment);
  const { scenarios, skipped, backends, totals } = summary;
  if (scenarios.length + skipped.length > 0) {
    const table = backends.length === 1 ? renderResults : renderMatrix;
    stdout.write(`${table(summary, elapsed, colors)}\n`);
  }
  // Of what was interrupted before anything was finished, no figure says anything.
  if (totals.runs > 0 || totals.missing === 0) stdout.write(renderTotals(summary, colors));
  if (totals.runs + skipped.length > 0 && indexPath !== null) stdout.write(`Report: ${visibleText(indexPath)}\n`);
  stdout.write(renderSkips(summary, colors));
}
