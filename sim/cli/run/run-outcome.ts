import { dissentIn, differenceText } from '../../results/parity.ts';
import type { Summary } from '../../results/summary.ts';
import { visibleText } from '../../text/visible-text.ts';
import { EXIT } from '../console/exit-codes.ts';
import type { Host } from '../console/host.ts';
import { interruptedBy } from '../console/interruption.ts';

/**
 * What the process tells its caller about the runs; what no table tells goes to standard error. `cutShort` is the file with the history of a run that was
 * interrupted.
 */
export function exitCodeOf(
  summary: Summary,
  isStrict: boolean,
  cutShort: string | null,
  { signal, stderr }: Host,
): number {
  const { totals, skipped } = summary;
  if (signal.aborted && totals.missing > 0) {
    const name = interruptedBy(signal);
    stderr.write(`Interrupted by ${name} ${whatIsKept(totals, cutShort)}\n`);
    return EXIT[name];
  }
  if (totals.runs === 0) {
    stderr.write('Nothing ran, and nothing is proven: every scenario was skipped, for the reasons above\n');
    return EXIT.badInput;
  }
  if (totals.notAsExpected > 0) return EXIT.notAsExpected;
  if (totals.unknown > 0 || skipped.some(({ wasTried }) => wasTried)) return EXIT.unknown;
  const lack = isStrict ? strictLack(summary) : null;
  if (lack === null) return EXIT.asExpected;
  stderr.write(`--strict: ${lack}\n`);
  return EXIT.unknown;
}

function whatIsKept({ runs, missing }: Summary['totals'], cutShort: string | null): string {
  const all = runs + missing;
  if (runs === 0) {
    const rest = cutShort === null ? '' : `; the history so far of the first is in ${visibleText(cutShort)}`;
    return `before anything was finished (0 of ${all} runs)${rest}`;
  }
  const rest = cutShort === null ? '' : `, and the history so far of the next in ${visibleText(cutShort)}`;
  return `after ${runs} of ${all} runs; their results are kept${rest}`;
}

/** What is missing for everything to be proven everywhere, by every single run; null if nothing is. */
function strictLack({ skipped, scenarios }: Summary): string | null {
  const dissent = dissentIn(scenarios).map(
    ({ scenario, differences }) => `${scenario} in ${differences.map(differenceText).join(' and ')}`,
  );
  const lacks = [
    ...(skipped.length === 0
      ? []
      : [`${skipped.length} ${skipped.length === 1 ? 'scenario was' : 'scenarios were'} skipped`]),
    ...(dissent.length === 0 ? [] : [`not all runs agree on ${dissent.join('; on ')}`]),
  ];
  return lacks.length === 0 ? null : lacks.join('; ');
}
