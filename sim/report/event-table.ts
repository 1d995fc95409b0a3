import { formatTimeUs } from '../text/duration-text.ts';
import type { Diagrams } from './diagram/diagrams.ts';
import type { ListedEvent } from './diagram/story.ts';
import { eventText } from './event-text.ts';
import { markup, type Markup } from './markup.ts';
import { clipText } from '../text/visible-text.ts';

const MOST_ROWS = 400;
const SENTENCE_LENGTH = 400;

/** The main events of the stretch that is drawn, in words; those that prove a violation are marked. */
export function renderEventTable(diagrams: Diagrams): Markup {
  const rows = chooseRows(diagrams);
  const leftOut = diagrams.listed.length - rows.length;
  return markup`<section aria-labelledby="events">
<h2 id="events">Main events</h2>
${leftOut > 0 ? markup`<p class="quiet">${leftOut} more are left out here: the whole history is in history.ndjson.</p>` : null}
<div class="table"><table class="events">
<thead><tr><th scope="col">event</th><th scope="col">time</th><th scope="col">what</th></tr></thead>
<tbody>${rows.map((row) => renderRow(row, diagrams))}</tbody>
</table></div>
</section>`;
}

function renderRow({ index, event }: ListedEvent, diagrams: Diagrams): Markup {
  const badge = diagrams.badges.get(index);
  const time = formatTimeUs(event.timeUs);
  const anchor = diagrams.anchors.get(index);
  const when =
    anchor === undefined ? markup`${time}` : markup`<a href="#${anchor}" title="show in the diagram">${time}</a>`;
  const mark = badge === undefined ? null : markup`<span class="evidence" title="evidence ${badge}">${badge}</span> `;
  return markup`<tr id="row-${index}" class="${badge === undefined ? event.type : `${event.type} proof`}"><td class="number">${index}</td><td class="number">${when}</td><td>${mark}${clipText(eventText(event), SENTENCE_LENGTH)}</td></tr>`;
}

/** All of them if they are few, else the evidence and the first of the others. */
function chooseRows({ listed, badges }: Diagrams): readonly ListedEvent[] {
  if (listed.length <= MOST_ROWS) return listed;
  let room = MOST_ROWS - badges.size;
  return listed.filter(({ index }) => {
    if (badges.has(index)) return true;
    room -= 1;
    return room >= 0;
  });
}
