import type { Judgement } from '../judge/judgement.ts';
import { conditionTexts } from '../text/pattern-text.ts';
import type { Diagrams } from './diagram/diagrams.ts';
import type { NumberedViolation } from './diagram/window.ts';
import { markup, type Markup } from './markup.ts';
import { renderStatus } from './outcome.ts';

/** Property by property: what the scenario expects, what was found, and the sentences that say why. */
export function renderVerdictTable(
  judgement: Judgement,
  violations: readonly NumberedViolation[],
  diagrams: Diagrams | null,
): Markup {
  const rows = judgement.properties.map(({ expected, verdict }) => {
    const mismatch = expected === null ? verdict.status === 'violated' : expected !== verdict.status;
    const own = violations.filter(({ property }) => property === verdict.property);
    const found =
      verdict.status === 'violated'
        ? renderViolations(own, verdict.count, diagrams)
        : verdict.status === 'unknown'
          ? markup`${verdict.reason}`
          : markup`<span class="quiet">held throughout the run</span>`;
    return markup`<tr${mismatch ? markup` class="mismatch"` : null}><th scope="row">${verdict.property}</th><td>${renderStatus(expected)}</td><td>${renderStatus(verdict.status)}${mismatchWords(mismatch, verdict.status)}</td><td>${found}</td></tr>`;
  });
  return markup`<div class="table"><table>
<thead><tr><th scope="col">property</th><th scope="col">expected</th><th scope="col">found</th><th scope="col">why</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

/** What had to happen for the verdict to count, and whether it did. */
export function renderHappenedTable({ happened }: Judgement): Markup {
  if (happened.length === 0) return markup`<p>The scenario names nothing that must have happened.</p>`;
  const rows = happened.map(({ occurrence, count, met }) => {
    const { event, atLeast, atMost, ...fields } = occurrence;
    const needed =
      atMost === undefined
        ? `at least ${atLeast ?? 1}`
        : atLeast === undefined
          ? atMost === 0
            ? 'never'
            : `at most ${atMost}`
          : `${atLeast} to ${atMost}`;
    return markup`<tr${met ? null : markup` class="mismatch"`}><th scope="row"><code>${event}</code></th><td>${conditionTexts(fields).join(', ')}</td><td>${needed}</td><td>${count}</td><td><span class="status ${met ? 'ok' : 'unknown'}">${met ? 'met' : 'not met'}</span></td></tr>`;
  });
  return markup`<h3>What had to happen for the verdicts to count</h3>
<div class="table"><table>
<thead><tr><th scope="col">event</th><th scope="col">where</th><th scope="col">needed</th><th scope="col">happened</th><th scope="col">enough</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

function mismatchWords(mismatch: boolean, found: 'ok' | 'violated' | 'unknown'): Markup | null {
  if (!mismatch) return null;
  return found === 'unknown'
    ? markup` <span class="quiet">could not be judged</span>`
    : markup` <span class="not">not as expected</span>`;
}

function renderViolations(violations: readonly NumberedViolation[], count: number, diagrams: Diagrams | null): Markup {
  const items = violations.map(({ number, message, events }) => {
    const anchor = diagrams?.violationAnchors.get(number);
    const shown = anchor === undefined ? null : markup` <a href="#${anchor}">show in the diagram</a>`;
    const where = markup`<span class="quiet">events ${events.join(', ')}</span>`;
    return markup`<li id="violation-${number}">${message} ${where}${shown}</li>`;
  });
  const rest = count - violations.length;
  return markup`<ol class="violations">${items}</ol>${rest > 0 ? markup`<p class="quiet">and ${rest} more</p>` : null}`;
}
