import { markup, type Markup } from './markup.ts';
import { type Outcome, outcomeWords, renderOutcome, renderStatus } from './outcome.ts';
import { renderPage } from './page.ts';
import type { OutcomeCounts, PropertySummary, RunSummary, ScenarioSummary, Summary } from './summary.ts';

/** Of many runs of a scenario, so many that need a look are linked. */
const MOST_LINKS = 5;

/** The page above the reports of runs: one line for each scenario and backend. */
export function renderIndex(summary: Summary): string {
  const { totals, scenarios } = summary;
  const body = markup`<header>
<p class="eyebrow">distrilock · reports</p>
<h1>${headline(totals)}</h1>
<ul class="totals">
${renderTotal(totals.asExpected, 'as-expected')}
${renderTotal(totals.notAsExpected, 'not-as-expected')}
${renderTotal(totals.unknown, 'unknown')}
</ul>
</header>
<main>
<p>“As expected” does not mean that nothing was violated: many scenarios show what Redlock cannot promise, and expect the violation.</p>
${scenarios.length === 0 ? markup`<p>There are no runs: nothing is proven.</p>` : renderTable(scenarios)}
<p class="quiet">The same in numbers: <a href="./summary.json">summary.json</a>.</p>
</main>`;
  return renderPage('distrilock reports', body);
}

function headline({ runs, notAsExpected, unknown }: OutcomeCounts): string {
  if (runs === 0) return 'No runs';
  if (notAsExpected > 0) return `${notAsExpected} of ${count(runs, 'run')} not as expected`;
  if (unknown > 0) return `${unknown} of ${count(runs, 'run')} unknown`;
  return runs === 1 ? 'The run is as expected' : `All ${runs} runs as expected`;
}

function renderTable(scenarios: readonly ScenarioSummary[]): Markup {
  return markup`<div class="table"><table class="index">
<thead><tr><th scope="col">scenario</th><th scope="col">backend</th><th scope="col">outcome</th><th scope="col">expected</th><th scope="col">found</th><th scope="col">runs</th><th scope="col">reports</th></tr></thead>
<tbody>
${scenarios.map(renderRow)}</tbody>
</table></div>`;
}

function renderRow(scenario: ScenarioSummary): Markup {
  const { properties, runs } = scenario;
  return markup`<tr${scenario.outcome === 'as-expected' ? null : markup` class="mismatch"`}><th scope="row">${scenario.scenario}<div class="title">${scenario.title}</div></th><td>${scenario.backend}</td><td>${renderOutcome(scenario.outcome)}</td><td>${renderExpected(properties)}</td><td>${renderFound(properties, runs.length)}</td><td>${renderRuns(scenario)}</td><td>${renderLinks(scenario)}</td></tr>
`;
}

function renderExpected(properties: readonly PropertySummary[]): Markup {
  return renderGroups((status) =>
    properties.filter(({ expected }) => expected === status).map(({ property }) => property),
  );
}

/** What was found of the properties that the scenario names, and of others that were violated. */
function renderFound(properties: readonly PropertySummary[], runs: number): Markup {
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

/** A zero is no news, good or bad: it has no colour. */
function renderTotal(number: number, outcome: Outcome): Markup {
  return number === 0
    ? markup`<li class="quiet">0 ${outcomeWords(outcome)}</li>`
    : markup`<li>${number} ${renderOutcome(outcome)}</li>`;
}

function renderRuns({ counts, runs }: ScenarioSummary): Markup {
  if (runs.length === 1) return markup`seed ${runs[0]?.seed ?? ''}`;
  const parts = [
    ...(counts.notAsExpected > 0 ? [`${counts.notAsExpected} not as expected`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
    ...(counts.asExpected > 0 ? [`${counts.asExpected} as expected`] : []),
  ];
  return markup`${runs.length} seeds: ${parts.join(', ')}`;
}

/** Links to the runs that need a look, worst first; to the first run if none does. */
function renderLinks({ runs }: ScenarioSummary): Markup {
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

function count(number: number, word: string): string {
  return `${number} ${number === 1 ? word : `${word}s`}`;
}
