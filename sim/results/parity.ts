import type { Property } from '../checkers/verdict.ts';
import type { PropertySummary, ScenarioSummary } from './summary.ts';

/** What most runs of a backend found of a property; `divided` if none has more than half of them. */
export type MajorityVerdict = 'ok' | 'violated' | 'unknown' | 'divided';

/** A property of which backends say different things. */
export interface ParityDifference {
  readonly property: Property;
  readonly verdicts: readonly {
    readonly backend: string;
    readonly verdict: MajorityVerdict;
    /** How many runs found what. */
    readonly found: PropertySummary['found'];
  }[];
}

/** Whether the backends on which a scenario ran agree on every property. */
export interface ParitySummary {
  readonly scenario: string;
  /** Two or more. */
  readonly backends: readonly string[];
  readonly agree: boolean;
  /** Empty if they agree. */
  readonly differences: readonly ParityDifference[];
}

/** Holds the backends of each scenario against each other; scenarios that ran on one alone are left out. */
export function parityOf(scenarios: readonly ScenarioSummary[]): ParitySummary[] {
  return onSeveralBackends(scenarios).map(([scenario, onBackends]) => {
    const differences = differencesOf(onBackends);
    return {
      scenario,
      backends: onBackends.map(({ backend }) => backend),
      agree: differences.length === 0,
      differences,
    };
  });
}

/** The scenarios that ran on several backends, and of which not every single run found the same of every property. */
export function dissentIn(
  scenarios: readonly ScenarioSummary[],
): readonly { readonly scenario: string; readonly differences: readonly ParityDifference[] }[] {
  return onSeveralBackends(scenarios).flatMap(([scenario, onBackends]) => {
    const differences = differencesOf(onBackends, true);
    return differences.length === 0 ? [] : [{ scenario, differences }];
  });
}

function onSeveralBackends(scenarios: readonly ScenarioSummary[]): [string, ScenarioSummary[]][] {
  const byScenario = new Map<string, ScenarioSummary[]>();
  for (const each of scenarios) byScenario.set(each.scenario, [...(byScenario.get(each.scenario) ?? []), each]);
  return [...byScenario].filter(([, onBackends]) => onBackends.length > 1);
}

/** Where the majorities differ; with `wantsAll` also where a single run is not like its majority. */
function differencesOf(onBackends: readonly ScenarioSummary[], wantsAll = false): ParityDifference[] {
  const [first] = onBackends;
  return (first?.properties ?? []).flatMap(({ property }, place) => {
    const verdicts = onBackends.map(({ backend, properties }) => {
      const found = properties[place]?.found ?? { ok: 0, violated: 0, unknown: 0 };
      return { backend, verdict: majorityOf(found), found };
    });
    const isSame = verdicts.every(
      ({ verdict, found }) =>
        verdict === verdicts[0]?.verdict && verdict !== 'divided' && !(wantsAll && found[verdict] < runsOf(found)),
    );
    return isSame ? [] : [{ property, verdicts }];
  });
}

function majorityOf(found: PropertySummary['found']): MajorityVerdict {
  const runs = runsOf(found);
  const statuses = ['ok', 'violated', 'unknown'] as const;
  return statuses.find((status) => found[status] * 2 > runs) ?? 'divided';
}

function runsOf({ ok, violated, unknown }: PropertySummary['found']): number {
  return ok + violated + unknown;
}

/** A difference in words: `critical-section: simulated violated, processes ok (9 of 10)`. */
export function differenceText({ property, verdicts }: ParityDifference): string {
  const parts = verdicts.map(({ backend, verdict, found }) => {
    const runs = runsOf(found);
    if (verdict === 'divided')
      return `${backend} divided (${found.ok} ok, ${found.violated} violated, ${found.unknown} unknown)`;
    return `${backend} ${verdict}${found[verdict] === runs ? '' : ` (${found[verdict]} of ${runs})`}`;
  });
  return `${property}: ${parts.join(', ')}`;
}
