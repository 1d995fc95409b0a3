import { formatMs, formatTimeUs } from '../../text/duration-text.ts';
import { failureText, shortName, shortValue } from '../event-text.ts';
import { markup, type Markup } from '../markup.ts';
import { type Canvas, drawBar, drawLabel, extentOf, fittingText, labelAt, px } from './canvas.ts';
import { BAR_PX, KEY_PX, NOTE_PX } from './lanes.ts';
import { LabelRow } from './rows.ts';
import type { Key, Lease, Section, Standstill, Stretch, Wait } from './story.ts';

const BAR_FONT_PX = 10.5;
const KEY_FONT_PX = 9;
const NOTE_FONT_PX = 10.5;

/** The keys that nodes hold, in the colour of the client that holds them. */
export function drawKeys({ story, scale, lanes }: Canvas): Markup {
  const bars = story.keys.map((key) => {
    const topPx = lanes.keyTopPx(key);
    if (topPx === undefined) return null;
    const extent = extentOf(scale, key);
    const heightPx = KEY_PX - 2;
    const title = `${key.node} holds ${shortName(key.key)} for ${key.client} (value ${shortValue(key.value)}), ${spanText(key)}${key.end === null ? '' : `; then ${key.end}`}.`;
    const label = fittingText([`${key.client}’s key`, key.client], extent.untilPx - extent.fromPx - 6, KEY_FONT_PX);
    const text =
      label === null
        ? null
        : markup`<text x="${px(extent.fromPx + 4)}" y="${px(topPx + heightPx - 2)}">${label}</text>`;
    const lost = isLost(key) ? ' lost-key' : '';
    return markup`<g class="c${lanes.colourOf(key.client)}${lost}">${drawBar('key', extent, topPx, heightPx, title)}${text}</g>`;
  });
  return markup`<g class="keys">${bars}</g>`;
}

/** Waiting for the lock, the validity of leases, and stays in the critical section, with what of them no lease covers. */
export function drawClientBars(canvas: Canvas): Markup {
  const { story } = canvas;
  const leaseOf = new Map(story.leases.map((lease) => [lease.lease, lease]));
  const waits = story.waits.map((wait) => drawWait(canvas, wait));
  const leases = story.leases.map((lease) => drawLease(canvas, lease));
  const sections = story.sections.map((section) => drawSection(canvas, section, leaseOf.get(section.lease)));
  return markup`<g class="bars">${waits}${leases}${sections}</g>`;
}

/** Whether the key went in another way than the algorithm counts on. */
function isLost({ end }: Key): boolean {
  return end !== null && end !== 'released' && end !== 'taken over' && end !== 'expired';
}

/** Shades over what stands still or is touched by a fault. */
export function drawShades({ story, scale, lanes }: Canvas): Markup {
  const faults = story.faults.flatMap((fault) =>
    fault.targets.map((target) => {
      const lane = laneNamed(lanes, target);
      if (lane === undefined) return null;
      const title = `Fault ${fault.fault}: ${fault.description}, ${spanText(fault)}.`;
      return drawBar('fault-shade', extentOf(scale, fault), lane.topPx, lane.heightPx, title);
    }),
  );
  const standstills = story.standstills.map((standstill) => {
    const lane = laneNamed(lanes, standstill.lane);
    if (lane === undefined) return null;
    const title = `${standstill.lane} is ${standstill.kind} ${spanText(standstill)}.`;
    return drawBar(standstill.kind, extentOf(scale, standstill), lane.topPx, lane.heightPx, title);
  });
  return markup`<g class="shades">${faults}${standstills}</g>`;
}

/** Words on client and node lanes: what stands still, leases that run out, failures, clocks that change. */
export function drawNotes(canvas: Canvas): Markup {
  const { story, scale, lanes } = canvas;
  const notes = [
    ...story.standstills.map((standstill) => ({
      lane: standstill.lane,
      timeUs: Math.max(standstill.fromUs, scale.fromUs),
      text: standstillText(standstill),
      className: 'note',
    })),
    ...story.leases
      .filter((lease) => lease.untilUs === lease.validUntilUs && lease.untilUs <= scale.untilUs)
      .map((lease) => ({
        lane: lease.client,
        timeUs: lease.untilUs,
        text: 'lease runs out',
        className: 'note strong',
      })),
    ...story.waits.flatMap((wait) =>
      wait.failure === null
        ? []
        : [{ lane: wait.client, timeUs: wait.untilUs, text: `no lock: ${shortName(wait.failure)}`, className: 'note' }],
    ),
    ...story.keys
      .filter((key) => isLost(key) && key.untilUs >= scale.fromUs && key.untilUs <= scale.untilUs)
      .map((key) => ({
        lane: key.node,
        timeUs: key.untilUs,
        text: `key lost: ${key.end ?? ''}`,
        className: 'note strong',
      })),
    ...story.clockChanges.map((change) => ({
      lane: change.lane,
      timeUs: change.timeUs,
      text: change.text,
      className: 'note clock',
    })),
  ].sort((left, right) => rankOf(left.className) - rankOf(right.className) || left.timeUs - right.timeUs);
  const rows = new Map<string, LabelRow>();
  return markup`<g class="notes">${notes.map((note) => {
    const lane = laneNamed(lanes, note.lane);
    if (lane === undefined) return null;
    const row = rows.get(note.lane) ?? new LabelRow();
    rows.set(note.lane, row);
    const xPx = scale.x(note.timeUs);
    const label = labelAt(note.text, xPx + 4, scale.widthPx - 2, NOTE_FONT_PX);
    const y = lane.kind === 'client' ? lane.topPx + NOTE_PX - 3 : lane.topPx + 10;
    const mark = note.className === 'note clock' ? clockMark(xPx, y - 4) : null;
    return markup`${mark}${row.take(label) ? drawLabel(label, y, note.className) : null}`;
  })}</g>`;
}

/** What must be read is placed first, and the rest where there is room. */
function rankOf(noteClass: string): number {
  return noteClass === 'note' ? 1 : 0;
}

function drawWait({ scale, lanes }: Canvas, wait: Wait): Markup | null {
  const lane = lanes.clientLane(wait.client);
  if (lane === undefined) return null;
  const { fromPx, untilPx } = extentOf(scale, wait);
  const y = lane.topPx + NOTE_PX + BAR_PX / 2;
  const outcome = wait.failure === null ? '' : `; it does not get it (${failureText(wait.failure)})`;
  const title = `${wait.client} asks for the lock on ${shortName(wait.resource)}${wait.isProbe ? ' (probe)' : ''}, ${spanText(wait)}${outcome}.`;
  const cross = wait.failure === null ? null : crossMark(untilPx, y, 'failure');
  const label = fittingText(
    wait.isProbe ? ['probe: is there progress?', 'probe'] : ['waits for the lock', 'waits'],
    untilPx - fromPx - 12,
    BAR_FONT_PX,
  );
  const text =
    label === null ? null : markup`<text class="wait-text" x="${px(fromPx + 5)}" y="${px(y + 11)}">${label}</text>`;
  return markup`<g class="c${lanes.colourOf(wait.client)}"><path class="wait" d="M${px(fromPx)} ${px(y)}H${px(untilPx)}"><title>${title}</title></path>${text}${cross}</g>`;
}

function drawLease({ scale, lanes }: Canvas, lease: Lease): Markup | null {
  const topPx = lanes.leaseTopPx(lease);
  if (topPx === undefined) return null;
  const extent = extentOf(scale, lease);
  const heightPx = BAR_PX - 2;
  const token = lease.token === null ? '' : `, token ${lease.token}`;
  const until = formatTimeUs(lease.validUntilUs);
  const runsOut = lease.untilUs === lease.validUntilUs;
  const end = runsOut ? 'then its validity is over' : `given back; it was valid until ${until}`;
  const title = `Lease of ${lease.client} on ${shortName(lease.resource)}${token}, ${spanText(lease)}; ${end}.`;
  const label = fittingText(
    [`lease, valid until ${until}${token}`, `lease until ${until}`, 'lease'],
    extent.untilPx - extent.fromPx - 10,
    BAR_FONT_PX,
  );
  const text =
    label === null ? null : markup`<text x="${px(extent.fromPx + 5)}" y="${px(topPx + heightPx - 3)}">${label}</text>`;
  const stop =
    runsOut && lease.untilUs <= scale.untilUs
      ? markup`<path class="stop" d="M${px(extent.untilPx)} ${px(topPx - 3)}v${heightPx + 6}"/>`
      : null;
  const extensions = lease.extendedUs
    .filter((timeUs) => timeUs >= scale.fromUs && timeUs <= scale.untilUs)
    .map(
      (timeUs) =>
        markup`<path class="extension" d="M${px(scale.x(timeUs))} ${px(topPx)}v${heightPx}"><title>extended at ${formatTimeUs(timeUs)}</title></path>`,
    );
  return markup`<g class="c${lanes.colourOf(lease.client)}">${drawBar('lease', extent, topPx, heightPx, title)}${text}${extensions}${stop}</g>`;
}

function drawSection({ scale, lanes }: Canvas, section: Section, lease: Lease | undefined): Markup | null {
  const topPx = lanes.sectionTopPx(section);
  if (topPx === undefined) return null;
  const extent = extentOf(scale, section);
  const heightPx = BAR_PX - 1;
  const widthPx = extent.untilPx - extent.fromPx;
  const title = `${section.client} is in the critical section of ${shortName(section.resource)}, ${spanText(section)}.`;
  // A lease that was granted and over before the window is not known here: then nothing is claimed.
  const coveredUntilUs = lease?.untilUs ?? Infinity;
  const bareFromUs = Math.max(coveredUntilUs, scale.fromUs);
  const bare =
    bareFromUs < Math.min(section.untilUs, scale.untilUs) ? { fromUs: bareFromUs, untilUs: section.untilUs } : null;
  const coveredPx = bare === null ? widthPx : scale.x(bare.fromUs) - extent.fromPx;
  const label = fittingText(
    [`${section.client} in the critical section`, `${section.client} inside`, section.client],
    coveredPx - 10,
    BAR_FONT_PX,
  );
  const text =
    label === null ? null : markup`<text x="${px(extent.fromPx + 5)}" y="${px(topPx + heightPx - 4)}">${label}</text>`;
  return markup`<g class="c${lanes.colourOf(section.client)}">${drawBar('section', extent, topPx, heightPx, title)}${text}${
    bare === null ? null : drawBareSection(extentOf(scale, bare), topPx, heightPx, section, bare)
  }</g>`;
}

function drawBareSection(
  extent: { readonly fromPx: number; readonly untilPx: number },
  topPx: number,
  heightPx: number,
  section: Section,
  bare: Stretch,
): Markup {
  const title = `${section.client} is still in the critical section, but its lease is over, ${spanText(bare)}.`;
  const label = fittingText(
    [`${section.client} still inside, its lease is over`, 'still inside, lease over', 'lease over'],
    extent.untilPx - extent.fromPx - 10,
    BAR_FONT_PX,
  );
  const text =
    label === null
      ? null
      : markup`<text class="bare-text" x="${px(extent.fromPx + 5)}" y="${px(topPx + heightPx - 4)}">${label}</text>`;
  return markup`${drawBar('bare', extent, topPx, heightPx, title)}${text}`;
}

/** A cross of 6 pixels. */
export function crossMark(xPx: number, yPx: number, className: string): Markup {
  return markup`<path class="${className}" d="M${px(xPx - 3)} ${px(yPx - 3)}l6 6m0 -6l-6 6"/>`;
}

function clockMark(xPx: number, yPx: number): Markup {
  return markup`<g class="clock-mark"><circle cx="${px(xPx)}" cy="${px(yPx)}" r="4.5"/><path d="M${px(xPx)} ${px(yPx - 3)}v3h2.5"/></g>`;
}

function standstillText(standstill: Standstill): string {
  const duration =
    standstill.untilUs === Infinity ? '' : ` for ${formatMs((standstill.untilUs - standstill.fromUs) / 1000)}`;
  return `${standstill.kind}${duration}`;
}

/** A lane by a name that may be a client's, a node's or the resource's. */
function laneNamed(lanes: Canvas['lanes'], name: string): Canvas['lanes']['lanes'][number] | undefined {
  return lanes.clientLane(name) ?? lanes.nodeLane(name) ?? (name === 'resource' ? lanes.resourceLane() : undefined);
}

export function spanText(stretch: { readonly fromUs: number; readonly untilUs: number }): string {
  if (stretch.untilUs === Infinity) return `from ${formatTimeUs(stretch.fromUs)} on`;
  return `from ${formatTimeUs(stretch.fromUs)} to ${formatTimeUs(stretch.untilUs)}`;
}
