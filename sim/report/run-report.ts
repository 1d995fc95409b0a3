import type { Judgement } from '../judge/judgement.ts';
import type { History } from '../history/history.ts';
import { formatMs } from '../text/duration-text.ts';
import { drawDiagrams, type Diagrams } from './diagram/diagrams.ts';
import { violationsOf, type NumberedViolation } from './diagram/window.ts';
import { renderEventTable } from './event-table.ts';
import { markup, type Markup } from './markup.ts';
import { renderOutcome, outcomeMeaning } from './outcome.ts';
import { renderPage, renderProse, renderSource } from './page.ts';
import { renderHappenedTable, renderVerdictTable } from './verdict-table.ts';

/**
 * The report of one run: one HTML file that loads nothing, needs no script, and says and shows what happened. It stays small
 * however long the history is, because of a long one only a stretch is drawn. Equal inputs give equal bytes.
 */
export function renderRunReport(history: History, judgement: Judgement): string {
  const violations = violationsOf(judgement);
  const diagrams = history.length === 0 ? null : drawDiagrams(history, violations);
  const body = markup`<header>
<p class="eyebrow">distrilock · report of a run · scenario ${judgement.scenario}</p>
<h1>${judgement.title}</h1>
<p class="verdict">${renderOutcome(judgement.outcome)} ${outcomeMeaning(judgement.outcome)}</p>
${renderReasons(judgement)}
${renderFacts(history, judgement)}
</header>
<main>
<section aria-labelledby="picture">
<h2 id="picture">What happened</h2>
${renderHeadlines(violations, diagrams)}
${diagrams === null ? markup`<p>The history is empty: there is nothing to draw.</p>` : diagrams.figures}
</section>
<section aria-labelledby="verdicts">
<h2 id="verdicts">Verdicts</h2>
${renderVerdictTable(judgement, violations, diagrams)}
${renderHappenedTable(judgement)}
</section>
<section aria-labelledby="lesson">
<h2 id="lesson">What one learns from it</h2>
<div class="prose">${renderProse(judgement.lesson)}</div>
${renderSources(judgement.sources)}
</section>
${diagrams === null ? null : renderEventTable(diagrams)}
</main>`;
  return renderPage(`${judgement.title} · distrilock`, body);
}

function renderReasons({ reasons }: Judgement): Markup | null {
  if (reasons.length === 0) return null;
  return markup`<ul class="reasons">${reasons.map((reason) => markup`<li>${reason}</li>`)}</ul>`;
}

function renderFacts(history: History, judgement: Judgement): Markup {
  const first = history.length === 0 ? null : history.at(0);
  const started = first?.type === 'run-started' ? first : null;
  const { operations, leases, events, spanMs } = judgement.counts;
  const facts: [string, string | Markup][] = [
    ['backend', judgement.backend],
    ['seed', markup`<code>${judgement.seed}</code>`],
  ];
  if (started !== null) {
    facts.push(
      ['clients', String(started.clients.length)],
      ['nodes', `${started.nodes.length}, quorum ${started.quorum}`],
      ['time to live', `${formatMs(started.longestTtlMs)} at the most`],
      ['fencing', started.fencing ? 'on' : 'off'],
    );
  }
  facts.push(
    ['span', `${formatMs(spanMs)}, ${events} events`],
    ['operations', `${operations}, ${leases} ${leases === 1 ? 'lease' : 'leases'} granted`],
    ['run it again', markup`<code class="command">${judgement.replay}</code>`],
  );
  return markup`<dl class="facts">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The first violation of each property, in a sentence each, so that one knows what to look for in the picture. */
function renderHeadlines(violations: readonly NumberedViolation[], diagrams: Diagrams | null): Markup {
  if (violations.length === 0) return markup`<p>No property was violated.</p>`;
  const firsts = violations.filter(
    (violation, index) => violations.findIndex(({ property }) => property === violation.property) === index,
  );
  return markup`<ul class="headlines">${firsts.map((violation) => {
    const evidence = violation.events.flatMap((index) => {
      const badge = diagrams?.badges.get(index);
      const anchor = diagrams?.anchors.get(index) ?? `row-${index}`;
      return badge === undefined
        ? []
        : [markup` <a class="evidence" href="#${anchor}" title="show in the diagram">${badge}</a>`];
    });
    return markup`<li><strong>${violation.property} violated.</strong> ${violation.message}${evidence}</li>`;
  })}</ul>`;
}

function renderSources(sources: readonly string[]): Markup | null {
  if (sources.length === 0) return null;
  return markup`<p class="sources">From: ${sources.map((source, index) => markup`${index === 0 ? '' : ', '}${renderSource(source)}`)}</p>`;
}
