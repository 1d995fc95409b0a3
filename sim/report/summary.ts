import type { Judgement } from '../checkers/judgement.ts';
import { PROPERTIES, type Property } from '../checkers/verdict.ts';
import type { Outcome } from './outcome.ts';

/** How many runs had which outcome. */
export interface OutcomeCounts {
  readonly runs: number;
  readonly asExpected: number;
  readonly notAsExpected: number;
  readonly unknown: number;
}

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
  readonly format: 1;
  readonly totals: OutcomeCounts;
  /** By name of the scenario, then of the backend. */
  readonly scenarios: readonly ScenarioSummary[];
}

/** Sums up runs. `folderOf` says where the files of a run are, from the folder of the summary. */
export function summarize(judgements: Iterable<Judgement>, folderOf: (judgement: Judgement) => string): Summary {
  const groups = new Map<string, Judgement[]>();
  for (const judgement of judgements) {
    const key = JSON.stringify([judgement.scenario, judgement.backend]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [judgement]);
    else group.push(judgement);
  }
  const scenarios = [...groups.values()]
    .map((group) => summarizeScenario(group, folderOf))
    .sort((left, right) => compare(left.scenario, right.scenario) || compare(left.backend, right.backend));
  return {
    format: 1,
    totals: countOutcomes(scenarios.flatMap(({ runs }) => runs)),
    scenarios,
  };
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

function countOutcomes(runs: readonly { readonly outcome: Outcome }[]): OutcomeCounts {
  const count = (outcome: Outcome): number => runs.filter((run) => run.outcome === outcome).length;
  return {
    runs: runs.length,
    asExpected: count('as-expected'),
    notAsExpected: count('not-as-expected'),
    unknown: count('unknown'),
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
