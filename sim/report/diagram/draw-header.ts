import { shortName } from '../event-text.ts';
import { markup, type Content, type Markup } from '../markup.ts';
import { clipText } from '../../text/visible-text.ts';
import { drawBar, drawLabel, extentOf, labelAt, px, type Label } from './canvas.ts';
import { spanText } from './draw-bars.ts';
import { packRows } from './rows.ts';
import type { FaultSpan, Stretch } from './story.ts';
import type { TimeScale } from './time-scale.ts';
import type { NumberedViolation } from './window.ts';

const HEADER_ROW_PX = 19;
const MOST_HEADER_ROWS = 5;
const FONT_PX = 11;
const LABEL_LENGTH = 110;

/** A violation that the window shows, and when it was the case. */
export interface ShownViolation {
  readonly violation: NumberedViolation;
  readonly span: Stretch;
}

/** Bars with words in rows above the lanes. */
export interface Header {
  readonly heightPx: number;
  readonly drawing: Markup;
}

export function layViolations(shown: readonly ShownViolation[], scale: TimeScale, topPx: number, id: string): Header {
  return layHeader(shown, scale, topPx, {
    spanOf: ({ span }) => span,
    // The sentence stands above the picture, and would not fit here.
    textOf: ({ violation }) => violation.property,
    draw: ({ violation }, bar) =>
      markup`<a class="violation" href="#violation-${violation.number}" id="${id}-violation-${violation.number}" aria-label="${clipText(`Violation of ${violation.property}`, LABEL_LENGTH)}">${bar}</a>`,
    titleOf: ({ violation, span }) =>
      `${violation.property} violated ${spanText(span)}: ${clipText(violation.message, 400)}`,
    barClass: 'violation-bar',
  });
}

export function layFaults(faults: readonly FaultSpan[], scale: TimeScale, topPx: number): Header {
  return layHeader(faults, scale, topPx, {
    spanOf: (fault) => fault,
    textOf: ({ kind, description }) => (description === '' ? shortName(kind) : description),
    draw: (_fault, bar) => markup`<g class="fault">${bar}</g>`,
    titleOf: (fault) => `Fault ${fault.fault} (${shortName(fault.kind)}), ${spanText(fault)}: ${fault.description}`,
    barClass: 'fault-bar',
  });
}

/** Vertical bands over all lanes while violations are the case; one for those that were so at the same time. */
export function drawViolationBands(
  shown: readonly ShownViolation[],
  scale: TimeScale,
  topPx: number,
  bottomPx: number,
): Markup {
  const bands = new Map<string, ShownViolation[]>();
  for (const one of shown) {
    const key = `${one.span.fromUs} ${one.span.untilUs}`;
    bands.set(key, [...(bands.get(key) ?? []), one]);
  }
  return markup`<g class="bands">${[...bands.values()].map((together) => {
    const [{ span }] = together as [ShownViolation];
    const properties = [...new Set(together.map(({ violation }) => violation.property))];
    // What did not happen for a time is no point to look at: its band must not cover what did.
    const isAbsence = properties.every((property) => property === 'availability' || property === 'deadlock-freedom');
    const title = `${properties.join(', ')} violated ${spanText(span)}`;
    return drawBar(isAbsence ? 'band absence' : 'band', extentOf(scale, span, 2), topPx, bottomPx - topPx, title);
  })}</g>`;
}

interface HeaderParts<Item> {
  readonly spanOf: (item: Item) => Stretch;
  readonly textOf: (item: Item) => string;
  readonly titleOf: (item: Item) => string;
  readonly draw: (item: Item, bar: Content) => Markup;
  readonly barClass: string;
}

function layHeader<Item>(items: readonly Item[], scale: TimeScale, topPx: number, parts: HeaderParts<Item>): Header {
  const placed = items.map((item) => {
    const bar = extentOf(scale, parts.spanOf(item), 4);
    const label: Label = labelAt(
      clipText(parts.textOf(item), LABEL_LENGTH),
      Math.max(bar.fromPx, 0) + 6,
      scale.widthPx - 2,
      FONT_PX,
    );
    return { item, bar, label };
  });
  const { rows, count } = packRows(
    placed.map(({ bar, label }) => ({
      from: Math.min(bar.fromPx, label.fromPx),
      until: Math.max(bar.untilPx, label.untilPx) + 8,
    })),
    MOST_HEADER_ROWS,
  );
  const lastEndPx = new Map<number, number>();
  const drawing = placed.map(({ item, bar, label }, index) => {
    const row = rows[index] ?? 0;
    const rowTopPx = topPx + row * HEADER_ROW_PX;
    // In the last row, which takes what fits nowhere, words may have no room.
    const hasRoom = (lastEndPx.get(row) ?? Number.NEGATIVE_INFINITY) <= label.fromPx;
    if (hasRoom) lastEndPx.set(row, label.untilPx);
    return parts.draw(item, [
      drawBar(parts.barClass, bar, rowTopPx, HEADER_ROW_PX - 3, parts.titleOf(item)),
      hasRoom ? drawLabel(label, px(rowTopPx + 12), `${parts.barClass}-text`) : null,
    ]);
  });
  return { heightPx: count * HEADER_ROW_PX, drawing: markup`${drawing}` };
}
