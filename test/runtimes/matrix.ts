import type { ModuleSystem } from './project.ts';

/** What came of one runtime with one version of ioredis and one module system. */
export interface Cell {
  /** The package of the runtime: `node@22`. */
  readonly runtime: string;
  /** The name and version that the runtime gave itself; null if it did not run. */
  readonly version: string | null;
  readonly ioredis: string;
  readonly modules: ModuleSystem;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly reason: string | null;
  readonly seconds: number;
}

/** 0 if all passed, 1 if any failed, 2 if nothing could run, and 3 if something was skipped that `isStrict` wants to see. */
export function exitCode(cells: readonly Cell[], isStrict: boolean): 0 | 1 | 2 | 3 {
  const has = (outcome: Cell['outcome']): boolean => cells.some((cell) => cell.outcome === outcome);
  if (has('failed')) return 1;
  if (!has('passed')) return 2;
  return isStrict && has('skipped') ? 3 : 0;
}

/** A table with a row for each runtime and a column for each ioredis and module system; below it, each reason once. */
export function matrixText(cells: readonly Cell[]): string {
  const columnOf = ({ ioredis, modules }: Cell): string => `ioredis ${ioredis} ${modules}`;
  const columns = [...new Set(cells.map(columnOf))];
  const rows = [...new Set(cells.map(({ runtime }) => runtime))].map((runtime) => {
    const ofRuntime = cells.filter((cell) => cell.runtime === runtime);
    const texts = columns.map((column) => {
      const cell = ofRuntime.find((each) => columnOf(each) === column);
      if (cell === undefined) return '–';
      return cell.outcome === 'passed' ? `passed, ${cell.seconds.toFixed(1)} s` : cell.outcome.toUpperCase();
    });
    return [runtime, ofRuntime.find(({ version }) => version !== null)?.version ?? '–', ...texts];
  });
  const table = [['package', 'ran as', ...columns], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const reasons = cells.flatMap((cell) => {
    if (cell.reason === null) return [];
    // A runtime that could not be had is one reason, not one for each of its cells.
    const where = cell.outcome === 'skipped' ? cell.runtime : `${cell.runtime}, ${columnOf(cell)}`;
    return [`${cell.outcome.toUpperCase()} ${where}: ${cell.reason}`];
  });
  return [...lines, ...(reasons.length > 0 ? ['', ...new Set(reasons)] : [])].join('\n');
}
