import type { Property } from '../../checkers/verdict.ts';
import { type Coverage, PROTOCOL_PHASES } from '../search/coverage.ts';
import type { BoundName } from '../envelope/envelope.ts';
import type { Exploration } from '../search/explore.ts';
import type { Shrunken } from '../shrink/shrink.ts';

/** Whether real servers show the same violation: `unable` if the backend cannot make what the scenario asks for, `interrupted` if a signal came first. */
export interface Confirmation {
  readonly backend: string;
  readonly verdict: 'agrees' | 'differs' | 'unable' | 'interrupted';
  /** What came of it, in a sentence. */
  readonly reason: string;
}

/** What was found, and where it is. */
export interface FoundSummary {
  readonly symptom: string;
  /** The bounds that were overstepped; none for a defect. */
  readonly because: readonly BoundName[];
  readonly message: string;
  readonly seed: number;
  readonly path: string;
  /** Runs that it took to make it small. */
  readonly shrinkRuns: number;
  /** Whether a signal ended that, so that it may not be the smallest. */
  readonly cutShort: boolean;
  readonly faults: number;
  readonly clients: number;
  readonly scenario: string;
  /** Null for a run that failed: there is no history to draw. */
  readonly report: string | null;
  readonly replay: string;
  readonly confirmations: readonly Confirmation[];
}

/** What a run of the corpus is known to break. */
export interface KnownSummary {
  readonly symptom: string;
  readonly message: string;
  readonly seed: number;
  readonly index: number;
}

/** A run that did not come to an end. */
export interface StuckSummary {
  readonly seed: number;
  readonly index: number;
  readonly replay: string;
}

/** What `explore.json` holds. The same command gives the same, unless time bounded it. */
export interface ExploreSummary {
  readonly seed: number;
  readonly outside: readonly BoundName[];
  readonly properties: readonly Property[];
  /** Those of the corpus included. */
  readonly runs: number;
  readonly corpusRuns: number;
  readonly events: number;
  /** By kind of fault and phase of the protocol, how often a fault began while a client was in that phase. */
  readonly coverage: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly fingerprint: string | null;
  readonly interrupted: boolean;
  /** What runs of the corpus still break outside the envelope. */
  readonly known: readonly KnownSummary[];
  /** Runs that a thread never left, so that it had to be ended. */
  readonly stuck: readonly StuckSummary[];
  readonly found: FoundSummary | null;
}

/** The counts of coverage by kind, and in it by phase, in the order of a protocol. */
function coverageTable(coverage: Coverage): Record<string, Record<string, number>> {
  const kinds = [...new Set(Object.keys(coverage).map((cell) => cell.split(' ')[0] as string))].sort();
  return Object.fromEntries(
    kinds.map((kind) => [
      kind,
      Object.fromEntries(
        PROTOCOL_PHASES.filter((phase) => coverage[`${kind} ${phase}`] !== undefined).map((phase) => [
          phase,
          coverage[`${kind} ${phase}`] as number,
        ]),
      ),
    ]),
  );
}

/** What an exploration tried, without what was found. */
export function triedIn(
  exploration: Exploration,
): Pick<ExploreSummary, 'runs' | 'corpusRuns' | 'events' | 'coverage' | 'known'> {
  const { runs, corpusRuns, events, coverage, known } = exploration;
  return {
    ...{ runs, corpusRuns, events },
    coverage: coverageTable(coverage),
    known: known.map(({ key, finding: { symptom, message } }) => ({ symptom, message, ...key })),
  };
}

export function foundSummary(
  { finding, path, trial, executions, isCutShort }: Shrunken,
  seed: number,
  replay: string,
  files: Pick<FoundSummary, 'scenario' | 'report' | 'confirmations'>,
): FoundSummary {
  const { symptom, because, message } = finding;
  const { faults, clients } = trial.scenario;
  return {
    symptom,
    because,
    message,
    seed,
    path,
    shrinkRuns: executions,
    cutShort: isCutShort,
    faults: faults.length,
    clients: Object.keys(clients).length,
    replay,
    ...files,
  };
}
