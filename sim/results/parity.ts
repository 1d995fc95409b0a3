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
  const byScenario = new Map<string, ScenarioSummary[]>();
  for (const each of scenarios) byScenario.set(each.scenario, [...(byScenario.get(each.scenario) ?? []), each]);
  return [...byScenario].flatMap(([scenario, onBackends]) => {
    if (onBackends.length < 2) return [];
    const differences = differencesOf(onBackends);
    return [
      { scenario, backends: onBackends.map(({ backend }) => backend), agree: differences.length === 0, differences },
    ];
  });
}

function differencesOf(onBackends: readonly ScenarioSummary[]): ParityDifference[] {
  const [first] = onBackends;
  return (first?.properties ?? []).flatMap(({ property }, place) => {
    const verdicts = onBackends.map(({ backend, properties }) => {
      const found = properties[place]?.found ?? { ok: 0, violated: 0, unknown: 0 };
      return { backend, verdict: majorityOf(found), found };
    });
    const isSame = verdicts.every(({ verdict }) => verdict === verdicts[0]?.verdict && verdict !== 'divided');
    return isSame ? [] : [{ property, verdicts }];
  });
}

function majorityOf(found: PropertySummary['found']): MajorityVerdict {
  const runs = found.ok + found.violated + found.unknown;
  const statuses = ['ok', 'violated', 'unknown'] as const;
  return statuses.find((status) => found[status] * 2 > runs) ?? 'divided';
}

/** A difference in words: `critical-section: simulated violated, processes ok (9 of 10)`. */
export function differenceText({ property, verdicts }: ParityDifference): string {
  const parts = verdicts.map(({ backend, verdict, found }) => {
    const runs = found.ok + found.violated + found.unknown;
    if (verdict === 'divided')
      return `${backend} divided (${found.ok} ok, ${found.violated} violated, ${found.unknown} unknown)`;
    return `${backend} ${verdict}${found[verdict] === runs ? '' : ` (${found[verdict]} of ${runs})`}`;
  });
  return `${property}: ${parts.join(', ')}`;
}
