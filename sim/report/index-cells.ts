import { type BackendFacts, runsWord } from '../results/backend-summary.ts';
import { markup, type Markup } from './markup.ts';
import { renderStatus } from './outcome.ts';
import type { PropertySummary, RunSummary, ScenarioSummary } from '../results/summary.ts';

/** Of many runs of a scenario, so many that need a look are linked. */
const MOST_LINKS = 5;

export function renderExpected(properties: readonly PropertySummary[]): Markup {
  return renderGroups((status) =>
    properties.filter(({ expected }) => expected === status).map(({ property }) => property),
  );
}

/** What was found of the properties that the scenario names, and of others that were violated. */
export function renderFound(properties: readonly PropertySummary[], runs: number): Markup {
  const relevant = properties.filter(({ expected, found }) => expected !== null || found.violated > 0);
  return renderGroups((status) =>
    relevant
      .filter(({ found }) => found[status] > 0)
      .map(({ property, found }) => (found[status] === runs ? property : `${property} (${found[status]} of ${runs})`)),
  );
}

/** A line for each status: the status, and the properties of which it is said. */
function renderGroups(propertiesOf: (status: 'violated' | 'unknown' | 'ok') => readonly string[]): Markup {
  const groups = (['violated', 'unknown', 'ok'] as const).map((status) => ({
    status,
    properties: propertiesOf(status),
  }));
  return markup`${groups
    .filter(({ properties }) => properties.length > 0)
    .map(
      ({ status, properties }) => markup`<div class="group">${renderStatus(status)} ${properties.join(', ')}</div>`,
    )}`;
}

/** Which runs there are, and how they came out. `backend` is the one that they ran on. */
export function renderRuns({ counts, runs }: ScenarioSummary, backend: BackendFacts): Markup {
  if (runs.length === 1) return markup`seed ${runs[0]?.seed ?? ''}`;
  const parts = [
    ...(counts.notAsExpected > 0 ? [`${counts.notAsExpected} not as expected`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
    ...(counts.asExpected > 0 ? [`${counts.asExpected} as expected`] : []),
  ];
  return markup`${runs.length} ${runsWord(backend, runs.length)}: ${parts.join(', ')}`;
}

/** Links to the runs that need a look, worst first; to the first run if none does. */
export function renderLinks({ runs }: ScenarioSummary): Markup {
  if (runs.length === 1) return markup`${runs.map((run) => renderLink(run, 'report'))}`;
  const bad = [
    ...runs.filter(({ outcome }) => outcome === 'not-as-expected'),
    ...runs.filter(({ outcome }) => outcome === 'unknown'),
  ];
  const linked = (bad.length > 0 ? bad : runs).slice(0, MOST_LINKS);
  const rest = (bad.length > 0 ? bad : runs).length - linked.length;
  return markup`${linked.map((run, index) => markup`${index === 0 ? '' : ', '}${renderLink(run, `seed ${run.seed}`)}`)}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function renderLink({ folder }: RunSummary, words: string): Markup {
  return markup`<a href="${pathToUrl(folder)}/report.html">${words}</a>`;
}

/** A relative path as a relative link that can be nothing else: no scheme, no host, no query. */
function pathToUrl(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return ['.', ...parts.map((part) => encodeURIComponent(wellFormed(part)))].join('/');
}

/** Lone surrogates cannot be encoded in a link. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\uFFFD');
}
