import { markup, type Markup } from '../markup.ts';
import type { Lanes } from './lanes.ts';
import { textWidthPx, type Extent } from './rows.ts';
import type { Story } from './story.ts';
import type { TimeScale } from './time-scale.ts';

/** What every part of the diagram is drawn from, and on. */
export interface Canvas {
  readonly story: Story;
  readonly scale: TimeScale;
  readonly lanes: Lanes;
}

/** Tenths of a pixel are enough, and keep the file small. */
export function px(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** The horizontal extent of a stretch, wide enough to be seen. */
export function extentOf(scale: TimeScale, stretch: { fromUs: number; untilUs: number }, leastPx = 3): Extent {
  const fromPx = scale.x(stretch.fromUs);
  return { fromPx, untilPx: Math.max(scale.x(stretch.untilUs), fromPx + leastPx) };
}

/** The first of the texts that fits, or none. */
export function fittingText(texts: readonly string[], widthPx: number, fontPx: number): string | null {
  return texts.find((text) => textWidthPx(text, fontPx) <= widthPx) ?? null;
}

export interface Label extends Extent {
  readonly text: string;
  readonly anchor: 'start' | 'end';
  readonly xPx: number;
}

/** A label that begins at `fromPx`, or ends at the right edge if it would run over that. */
export function labelAt(text: string, fromPx: number, edgePx: number, fontPx: number): Label {
  const widthPx = textWidthPx(text, fontPx);
  if (fromPx + widthPx <= edgePx) return { text, anchor: 'start', xPx: fromPx, fromPx, untilPx: fromPx + widthPx };
  return { text, anchor: 'end', xPx: edgePx, fromPx: edgePx - widthPx, untilPx: edgePx };
}

export function drawLabel(label: Label, yPx: number, className: string): Markup {
  const anchor = label.anchor === 'end' ? markup` text-anchor="end"` : null;
  return markup`<text class="${className}" x="${px(label.xPx)}" y="${px(yPx)}"${anchor}>${label.text}</text>`;
}

/** A rectangle that tells what it is when one points at it. */
export function drawBar(className: string, extent: Extent, topPx: number, heightPx: number, title: string): Markup {
  return markup`<rect class="${className}" x="${px(extent.fromPx)}" y="${px(topPx)}" width="${px(extent.untilPx - extent.fromPx)}" height="${px(heightPx)}"><title>${title}</title></rect>`;
}
