import { markup, type Markup } from './markup.ts';
import { renderOutcome, renderStatus } from './outcome.ts';
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
<li>${totals.asExpected} ${renderOutcome('as-expected')}</li>
<li>${totals.notAsExpected} ${renderOutcome('not-as-expected')}</li>
<li>${totals.unknown} ${renderOutcome('unknown')}</li>
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
  const expected = properties.filter((property) => property.expected !== null);
  const found = properties.filter((property) => property.expected !== null || property.found.violated > 0);
  return markup`<tr${scenario.outcome === 'as-expected' ? null : markup` class="mismatch"`}><th scope="row">${scenario.scenario}<div class="title">${scenario.title}</div></th><td>${scenario.backend}</td><td>${renderOutcome(scenario.outcome)}</td><td>${expected.map(
    ({ property, expected: status }) => markup`<div class="pair">${renderStatus(status)} ${property}</div>`,
  )}</td><td>${found.map((property) => renderFound(property, runs.length))}</td><td>${renderRuns(scenario)}</td><td>${renderLinks(scenario)}</td></tr>
`;
}

function renderFound({ property, found }: PropertySummary, runs: number): Markup {
  const statuses = (['violated', 'unknown', 'ok'] as const).filter((status) => found[status] > 0);
  return markup`<div class="pair">${statuses.map(
    (status) => markup`${renderStatus(status)}${runs === 1 ? null : markup` ×${found[status]}`} `,
  )}${property}</div>`;
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
  const bad = [...runs.filter(({ outcome }) => outcome === 'not-as-expected'), ...runs.filter(({ outcome }) => outcome === 'unknown')];
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
