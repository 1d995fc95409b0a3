import type { Judgement } from '../judge/judgement.ts';
import { PROPERTIES, type Property } from '../checkers/verdict.ts';
import { type BackendFacts, type BackendSummary, summarizeBackend } from './backend-summary.ts';
import type { Outcome } from '../judge/judgement.ts';
import { countOutcomes, type OutcomeCounts } from './outcome-counts.ts';
import { parityOf, type ParitySummary } from './parity.ts';

/** One property of a scenario on one backend, over all of its runs. */
export interface PropertySummary {
  readonly property: Property;
  /** Null where the scenario does not name it. */
  readonly expected: 'ok' | 'violated' | null;
  /** How many runs found what. */
  readonly found: { readonly ok: number; readonly violated: number; readonly unknown: number };
}

export interface RunSummary {
  readonly seed: number;
  readonly outcome: Outcome;
  /** Why it is not as expected, or unknown. */
  readonly reasons: readonly string[];
  readonly violated: readonly Property[];
  /** Properties that could not be judged. */
  readonly unknown: readonly Property[];
  readonly replay: string;
  /** The folder of its files, from the folder of the summary; parts are apart by `/`. */
  readonly folder: string;
}

/** A scenario that did not run on a backend. It proves nothing, and is never green. */
export interface SkippedScenario {
  readonly scenario: string;
  readonly title: string;
  readonly backend: string;
  readonly reason: string;
  /** What would let it run; null if nothing would. */
  readonly remedy: string | null;
  /** Whether it was tried, and its servers could not be had: unlike with a capability that is known to be missing, something is wrong. */
  readonly wasTried: boolean;
}

/** A scenario on a backend. */
export interface ScenarioSummary {
  readonly scenario: string;
  readonly title: string;
  readonly backend: string;
  /** The worst of its runs: not as expected, then unknown, then as expected. */
  readonly outcome: Outcome;
  readonly counts: OutcomeCounts;
  /** In the order of PROPERTIES. */
  readonly properties: readonly PropertySummary[];
  /** By seed. */
  readonly runs: readonly RunSummary[];
}

/** What `summary.json` holds. Equal judgements give equal bytes, in whatever order they come. */
export interface Summary {
  /** Version of this format. */
  readonly format: 2;
  /** Over all backends. `missing` are the runs that were wanted and never came to their end: somebody or something cut the whole short. */
  readonly totals: OutcomeCounts & { readonly skipped: number; readonly missing: number };
  /** In the order in which they were asked for. */
  readonly backends: readonly BackendSummary[];
  /** What ran, by name of the scenario, then in the order of the backends. */
  readonly scenarios: readonly ScenarioSummary[];
  /** What did not run, in the same order. */
  readonly skipped: readonly SkippedScenario[];
  /** For each scenario that ran on several backends, whether they agree. */
  readonly parity: readonly ParitySummary[];
}

export interface SummaryInput {
  readonly backends: readonly BackendFacts[];
  readonly judgements: Iterable<Judgement>;
  readonly skipped: Iterable<SkippedScenario>;
  /** How many runs there should be, but for the skipped ones. */
  readonly wantedRuns: number;
  /** Where the files of a run are, from the folder of the summary. */
  readonly folderOf: (judgement: Judgement) => string;
}

/** Sums up runs. A judgement of a backend that is not among `backends` is a defect of the caller. */
export function summarize(input: SummaryInput): Summary {
  const { backends, folderOf } = input;
  const places = new Map(backends.map(({ backend }, place) => [backend, place]));
  const byScenarioAndBackend = (left: Cell, right: Cell): number =>
    compare(left.scenario, right.scenario) || (places.get(left.backend) ?? 0) - (places.get(right.backend) ?? 0);
  const groups = new Map<string, Judgement[]>();
  for (const judgement of input.judgements) {
    if (!places.has(judgement.backend)) throw new Error(`a run on ${judgement.backend}, which was not asked for`);
    const key = JSON.stringify([judgement.scenario, judgement.backend]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [judgement]);
    else group.push(judgement);
  }
  const scenarios = [...groups.values()].map((group) => summarizeScenario(group, folderOf)).sort(byScenarioAndBackend);
  const skipped = [...input.skipped].sort(byScenarioAndBackend);
  const counts = countOutcomes(scenarios.flatMap(({ runs }) => runs));
  const missing = Math.max(0, input.wantedRuns - counts.runs);
  return {
    format: 2,
    totals: { ...counts, skipped: skipped.length, missing },
    backends: backends.map((facts) => summarizeBackend(facts, scenarios, skipped)),
    scenarios,
    skipped,
    parity: parityOf(scenarios),
  };
}

interface Cell {
  readonly scenario: string;
  readonly backend: string;
}

function summarizeScenario(group: readonly Judgement[], folderOf: (judgement: Judgement) => string): ScenarioSummary {
  const judgements = [...group].sort((left, right) => left.seed - right.seed);
  const [first] = judgements as [Judgement];
  const runs = judgements.map((judgement) => summarizeRun(judgement, folderOf(judgement)));
  const counts = countOutcomes(runs);
  return {
    scenario: first.scenario,
    title: first.title,
    backend: first.backend,
    outcome: worstOutcome(counts),
    counts,
    properties: PROPERTIES.map((property) => summarizeProperty(property, judgements)),
    runs,
  };
}

function summarizeRun(judgement: Judgement, folder: string): RunSummary {
  const withStatus = (status: 'violated' | 'unknown'): readonly Property[] =>
    judgement.properties.filter(({ verdict }) => verdict.status === status).map(({ verdict }) => verdict.property);
  return {
    seed: judgement.seed,
    outcome: judgement.outcome,
    reasons: judgement.reasons,
    violated: withStatus('violated'),
    unknown: withStatus('unknown'),
    replay: judgement.replay,
    folder,
  };
}

function summarizeProperty(property: Property, judgements: readonly Judgement[]): PropertySummary {
  const verdicts = judgements.flatMap(({ properties }) =>
    properties.filter(({ verdict }) => verdict.property === property),
  );
  const count = (status: 'ok' | 'violated' | 'unknown'): number =>
    verdicts.filter(({ verdict }) => verdict.status === status).length;
  return {
    property,
    expected: verdicts[0]?.expected ?? null,
    // A run that says nothing of a property leaves it unknown.
    found: {
      ok: count('ok'),
      violated: count('violated'),
      unknown: count('unknown') + judgements.length - verdicts.length,
    },
  };
}

function worstOutcome({ runs, asExpected, notAsExpected }: OutcomeCounts): Outcome {
  if (notAsExpected > 0) return 'not-as-expected';
  return runs > 0 && asExpected === runs ? 'as-expected' : 'unknown';
}

/** By code units, so that the order does not depend on the language of the machine. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
