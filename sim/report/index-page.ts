import { type BackendSummary, flakinessText } from '../results/backend-summary.ts';
import { renderExpected, renderFound, renderLinks, renderRuns } from './index-cells.ts';
import { markup, type Markup } from './markup.ts';
import type { Outcome } from '../judge/judgement.ts';
import { outcomeWords, renderOutcome } from './outcome.ts';
import { renderPage } from './page.ts';
import { differenceText, type ParitySummary } from '../results/parity.ts';
import type { ScenarioSummary, SkippedScenario, Summary } from '../results/summary.ts';

/** The page above the reports of runs: one line for each scenario, one cell for each backend. */
export function renderIndex(summary: Summary): string {
  const { totals, scenarios, skipped, backends } = summary;
  const body = markup`<header>
<p class="eyebrow">distrilock · reports</p>
<h1>${headline(summary)}</h1>
<ul class="totals">
${renderTotal(totals.asExpected, 'as-expected')}
${renderTotal(totals.notAsExpected, 'not-as-expected')}
${renderTotal(totals.unknown, 'unknown')}
${totals.missing === 0 ? null : markup`<li>${totals.missing} never came to their end</li>`}
${totals.skipped === 0 ? null : markup`<li>${totals.skipped} ${SKIPPED}</li>`}
</ul>
</header>
<main>
<p>“As expected” does not mean that nothing was violated: many scenarios show what Redlock cannot promise, and expect the violation.</p>
${renderBackends(backends)}
${scenarios.length === 0 ? markup`<p>There are no runs: nothing is proven.</p>` : null}
${scenarios.length + skipped.length === 0 ? null : renderScenarios(summary)}
<p class="quiet">The same in numbers: <a href="./summary.json">summary.json</a>.</p>
</main>`;
  return renderPage('distrilock reports', body);
}

const SKIPPED: Markup = markup`<span class="outcome skipped"><span aria-hidden="true">⤼</span> skipped</span>`;

function headline({ totals, backends }: Summary): string {
  const absent = backends.filter(({ unavailable }) => unavailable !== null).map(({ backend }) => backend);
  const but = absent.length === 0 ? '' : `; ${absent.join(' and ')} could not run`;
  return `${headlineOfRuns(totals)}${but}`;
}

function headlineOfRuns({ runs, notAsExpected, unknown, missing }: Summary['totals']): string {
  if (missing > 0 && notAsExpected === 0)
    return `Cut short: ${runs} of ${count(runs + missing, 'run')} came to their end`;
  if (runs === 0) return 'No runs';
  if (notAsExpected > 0) return `${notAsExpected} of ${count(runs, 'run')} not as expected`;
  if (unknown > 0) return `${unknown} of ${count(runs, 'run')} unknown`;
  return runs === 1 ? 'The run is as expected' : `All ${runs} runs as expected`;
}

/** A zero is no news, good or bad: it has no colour. */
function renderTotal(number: number, outcome: Outcome): Markup {
  return number === 0
    ? markup`<li class="quiet">0 ${outcomeWords(outcome)}</li>`
    : markup`<li>${number} ${renderOutcome(outcome)}</li>`;
}

/** One backend that could run and ran everything once has nothing to tell that the scenarios do not. */
function renderBackends(backends: readonly BackendSummary[]): Markup | null {
  const [first, ...others] = backends;
  if (first === undefined) return null;
  if (others.length === 0 && first.unavailable === null && first.flakiness === null) return null;
  return markup`<h2>Backends</h2>
<div class="table"><table class="backends">
<thead><tr><th scope="col">backend</th><th scope="col">runs</th><th scope="col">not run</th><th scope="col">flakiness</th></tr></thead>
<tbody>
${backends.map(renderBackend)}</tbody>
</table></div>`;
}

function renderBackend(backend: BackendSummary): Markup {
  const { unavailable, totals, skipped } = backend;
  if (unavailable !== null) {
    return markup`<tr class="mismatch"><th scope="row">${backend.backend}</th><td colspan="3">${SKIPPED} It cannot run here: ${unavailable.problem}.<div class="remedy">Remedy: ${unavailable.remedy}</div></td></tr>
`;
  }
  const { runs, asExpected, notAsExpected, unknown } = totals;
  const outcomes = `${count(runs, 'run')}: ${asExpected} as expected, ${notAsExpected} not as expected, ${unknown} unknown`;
  return markup`<tr><th scope="row">${backend.backend}</th><td>${outcomes}</td><td>${count(skipped, 'scenario')}</td><td>${flakinessText(backend) ?? 'each scenario ran at most once'}</td></tr>
`;
}

function renderScenarios(summary: Summary): Markup {
  const { backends } = summary;
  return markup`<h2>Scenarios</h2>
<div class="table"><table class="index">
${backends.length === 1 ? renderRows(summary) : renderMatrix(summary)}
</table></div>`;
}

/** With one backend, a line for each scenario says everything of it. */
function renderRows(summary: Summary): Markup {
  const rows = cellsByScenario(summary).flatMap(({ cells: [cell] }) =>
    cell === undefined || cell === null ? [] : [cell],
  );
  return markup`<thead><tr><th scope="col">scenario</th><th scope="col">backend</th><th scope="col">outcome</th><th scope="col">expected</th><th scope="col">found</th><th scope="col">runs</th><th scope="col">reports</th></tr></thead>
<tbody>
${rows.map((cell) => ('reason' in cell ? renderSkippedRow(cell) : renderRow(cell, summary)))}</tbody>`;
}

function renderRow(scenario: ScenarioSummary, { backends }: Summary): Markup {
  const { properties, runs } = scenario;
  const backend = backends.find((each) => each.backend === scenario.backend);
  return markup`<tr${rowClass(scenario.outcome === 'as-expected')}>${renderName(scenario)}<td>${scenario.backend}</td><td>${renderOutcome(scenario.outcome)}</td><td>${renderExpected(properties)}</td><td>${renderFound(properties, runs.length)}</td><td>${backend === undefined ? null : renderRuns(scenario, backend)}</td><td>${renderLinks(scenario)}</td></tr>
`;
}

function renderSkippedRow(skipped: SkippedScenario): Markup {
  return markup`<tr${rowClass(false)}>${renderName(skipped)}<td>${skipped.backend}</td><td>${SKIPPED}</td><td colspan="4">${skippedText(skipped)}</td></tr>
`;
}

/** With several, each has a column. */
function renderMatrix(summary: Summary): Markup {
  const { backends, parity } = summary;
  const parityOf = new Map(parity.map((each) => [each.scenario, each]));
  const rows = cellsByScenario(summary).map(({ scenario, title, cells }) => {
    const ran = cells.filter((cell): cell is ScenarioSummary => cell !== null && !('reason' in cell));
    const ownParity = parityOf.get(scenario) ?? null;
    const isGood = ran.every(({ outcome }) => outcome === 'as-expected') && ownParity?.agree !== false;
    return markup`<tr${rowClass(isGood)}>${renderName({ scenario, title })}<td>${ran[0] === undefined ? '–' : renderExpected(ran[0].properties)}</td>${cells.map((cell, place) => markup`<td>${renderCell(cell, summary, place)}</td>`)}<td>${renderParity(ownParity)}</td></tr>
`;
  });
  return markup`<thead><tr><th scope="col">scenario</th><th scope="col">expected</th>${backends.map(({ backend }) => markup`<th scope="col">${backend}</th>`)}<th scope="col">parity</th></tr></thead>
<tbody>
${rows}</tbody>`;
}

function renderCell(cell: ScenarioSummary | SkippedScenario | null, { backends }: Summary, place: number): Markup {
  const backend = backends[place];
  if (cell === null || backend === undefined) return markup`<span class="quiet">did not run</span>`;
  if ('reason' in cell) {
    // What holds for the whole backend is said once, above.
    if (backend.unavailable !== null) return SKIPPED;
    return markup`${SKIPPED}<div class="group">${skippedText(cell)}</div>`;
  }
  const found = cell.outcome === 'as-expected' ? null : renderFound(cell.properties, cell.runs.length);
  return markup`${renderOutcome(cell.outcome)}<div class="group">${renderRuns(cell, backend)}; ${renderLinks(cell)}</div>${found}`;
}

function renderParity(parity: ParitySummary | null): Markup {
  if (parity === null) return markup`<span class="quiet">one backend alone</span>`;
  if (parity.agree) return markup`agree on every property`;
  return markup`<strong class="not">differ</strong>${parity.differences.map((difference) => markup`<div class="group">${differenceText(difference)}</div>`)}`;
}

interface ScenarioCells {
  readonly scenario: string;
  readonly title: string;
  /** One for each backend; null where a run was called off before its turn came. */
  readonly cells: readonly (ScenarioSummary | SkippedScenario | null)[];
}

function cellsByScenario({ scenarios, skipped, backends }: Summary): ScenarioCells[] {
  const all = [...scenarios, ...skipped];
  const titles = new Map(all.map(({ scenario, title }) => [scenario, title]));
  const names = [...titles.keys()].sort((left, right) => (left < right ? -1 : 1));
  return names.map((scenario) => ({
    scenario,
    title: titles.get(scenario) ?? '',
    cells: backends.map(
      ({ backend }) => all.find((each) => each.scenario === scenario && each.backend === backend) ?? null,
    ),
  }));
}

function renderName({ scenario, title }: { readonly scenario: string; readonly title: string }): Markup {
  return markup`<th scope="row">${scenario}<div class="title">${title}</div></th>`;
}

function rowClass(isGood: boolean): Markup | null {
  return isGood ? null : markup` class="mismatch"`;
}

function skippedText({ reason, remedy }: SkippedScenario): string {
  return remedy === null ? reason : `${reason}. Remedy: ${remedy}`;
}

function count(number: number, word: string): string {
  return `${number} ${number === 1 ? word : `${word}s`}`;
}
