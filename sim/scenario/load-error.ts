/** One thing that is wrong with a scenario file. */
export interface ScenarioProblem {
  /** From 1; null when it is about the file as a whole. */
  readonly line: number | null;
  /** From 1, in UTF-16 units as editors count; null when it is about the file as a whole. */
  readonly column: number | null;
  /** Where in the file's data, as in `faults[0].nodes`; empty for the whole. */
  readonly path: string;
  /** What is wrong, and what is allowed. */
  readonly message: string;
}

/** More problems than anybody reads at once. */
const MOST_PROBLEMS_SHOWN = 50;

/** A scenario that cannot run. The message has one line for each problem: `file:line:column: path: what is wrong; what is allowed`. */
export class ScenarioError extends Error {
  /** The file, or the name that no file was found for. */
  readonly file: string;
  /** In the order of the file. */
  readonly problems: readonly ScenarioProblem[];

  constructor(file: string, problems: readonly ScenarioProblem[], options?: ErrorOptions) {
    const sorted = [...problems].sort(
      (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
    );
    const lines = sorted.slice(0, MOST_PROBLEMS_SHOWN).map((problem) => formatProblem(file, problem));
    if (sorted.length > lines.length) lines.push(`${file}: and ${sorted.length - lines.length} more problems`);
    super(lines.join('\n'), options);
    this.name = 'ScenarioError';
    this.file = file;
    this.problems = sorted;
  }
}

/** An error about a file as a whole. */
export function fileError(file: string, message: string, options?: ErrorOptions): ScenarioError {
  return new ScenarioError(file, [{ line: null, column: null, path: '', message }], options);
}

function formatProblem(file: string, { line, column, path, message }: ScenarioProblem): string {
  const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}
