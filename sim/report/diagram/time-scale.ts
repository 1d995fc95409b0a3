import { scaleLinear, type ScaleLinear } from 'd3-scale';

/** Pixels that a usual message flight gets before the whole is fitted to the page. */
const FLIGHT_PX = 34;
/** A gap between two moments is idle if it is longer than so many flights; */
const IDLE_FLIGHTS = 1.4;
/** it is then drawn as if it were that long, and so much longer for each power of ten that it is beyond. */
const IDLE_PX_PER_DECADE = 13;
/** Narrower breaks would be taken for a tick. */
const BREAK_PX = 22;
const DEFAULT_FLIGHT_US = 500;
/** In a scale that shows order rather than length: the width of a short gap, and what each power of ten adds. */
const SHORT_GAP_US = 100;
const SHORT_GAP_PX = 16;
const GAP_PX_PER_DECADE = 14;
const LEAST_GAP_PX = 5;

/** An idle stretch of the run, drawn shorter than it was. */
export interface Break {
  readonly fromUs: number;
  readonly untilUs: number;
}

/** Where points of time stand in the diagram: true to scale where something happens, short where nothing does. */
export interface TimeScale {
  readonly widthPx: number;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly breaks: readonly Break[];
  /** Pixels from the left edge; points beyond the ends of the window stand at its edges. */
  x(timeUs: number): number;
  /** Points of time for the axis, ascending, at least `leastPx` apart. */
  ticksUs(leastPx: number): readonly number[];
}

export interface TimeScaleOptions {
  readonly fromUs: number;
  readonly untilUs: number;
  /** All points of time at which something is drawn, in any order. */
  readonly momentsUs: readonly number[];
  /** How long messages flew, in any order: what the scale is made for. */
  readonly flightsUs: readonly number[];
  readonly pageWidthPx: number;
}

/**
 * True to scale where messages fly, short where nothing happens. Fits the page if what is to be drawn nearly does, else it is
 * as wide as it needs to be.
 */
export function messageScaleOf(options: TimeScaleOptions & { readonly mostWidthPx: number }): TimeScale {
  const { pageWidthPx, mostWidthPx } = options;
  const flightUs = Math.max(1, medianOf(options.flightsUs) ?? DEFAULT_FLIGHT_US);
  const idleUs = flightUs * IDLE_FLIGHTS;
  return scaleOf(options, {
    gapPx: (gapUs) =>
      (Math.min(gapUs, idleUs) / flightUs) * FLIGHT_PX + Math.log10(Math.max(1, gapUs / idleUs)) * IDLE_PX_PER_DECADE,
    isIdle: (gapUs) => gapUs > idleUs,
    fit: (naturalPx) => (naturalPx <= pageWidthPx * 1.25 ? pageWidthPx : Math.min(naturalPx, mostWidthPx)),
  });
}

/** Shows the order of moments, and only roughly how far apart they are. Always as wide as the page. */
export function storyScaleOf(options: TimeScaleOptions): TimeScale {
  return scaleOf(options, {
    gapPx: (gapUs) => Math.max(LEAST_GAP_PX, SHORT_GAP_PX + Math.log10(gapUs / SHORT_GAP_US) * GAP_PX_PER_DECADE),
    isIdle: () => false,
    fit: () => options.pageWidthPx,
  });
}

interface GapRules {
  readonly gapPx: (gapUs: number) => number;
  readonly isIdle: (gapUs: number) => boolean;
  /** The width to draw, of the sum of all gaps. */
  readonly fit: (naturalPx: number) => number;
}

function scaleOf(options: TimeScaleOptions, rules: GapRules): TimeScale {
  const { fromUs } = options;
  const untilUs = Math.max(options.untilUs, fromUs + 1);
  const inside = options.momentsUs.filter((us) => us > fromUs && us < untilUs);
  const moments = [...new Set([fromUs, ...inside, untilUs])].sort((left, right) => left - right);
  const widths: number[] = [];
  const breaks: Break[] = [];
  for (let index = 1; index < moments.length; index += 1) {
    const gap = { fromUs: moments[index - 1] as number, untilUs: moments[index] as number };
    widths.push(rules.gapPx(gap.untilUs - gap.fromUs));
    if (rules.isIdle(gap.untilUs - gap.fromUs)) breaks.push(gap);
  }
  const naturalPx = widths.reduce((sum, width) => sum + width, 0);
  const widthPx = rules.fit(naturalPx);
  const scale = piecewise(moments, widths, widthPx / naturalPx);
  return {
    widthPx,
    fromUs,
    untilUs,
    breaks: breaks.filter((gap) => scale(gap.untilUs) - scale(gap.fromUs) >= BREAK_PX),
    x: (timeUs) => scale(timeUs),
    ticksUs: (leastPx) =>
      breaks.length === 0 ? momentTicks(moments, scale, leastPx) : ticksOf(moments, breaks, scale, leastPx),
  };
}

function piecewise(
  moments: readonly number[],
  widths: readonly number[],
  stretch: number,
): ScaleLinear<number, number> {
  const places = [0];
  for (const width of widths) places.push((places.at(-1) ?? 0) + width * stretch);
  return scaleLinear([...moments], places).clamp(true);
}

/** As many of the moments as have room. */
function momentTicks(
  moments: readonly number[],
  scale: ScaleLinear<number, number>,
  leastPx: number,
): readonly number[] {
  let lastPx = Number.NEGATIVE_INFINITY;
  return moments.filter((timeUs) => {
    const px = scale(timeUs);
    if (px - lastPx < leastPx) return false;
    lastPx = px;
    return true;
  });
}

/** Round points of time within each busy stretch, and the ends of the idle ones. */
function ticksOf(
  moments: readonly number[],
  breaks: readonly Break[],
  scale: ScaleLinear<number, number>,
  leastPx: number,
): readonly number[] {
  const ticks: number[] = [];
  let lastPx = Number.NEGATIVE_INFINITY;
  const place = (timeUs: number): void => {
    const px = scale(timeUs);
    if (px - lastPx < leastPx) return;
    ticks.push(timeUs);
    lastPx = px;
  };
  let startUs = moments[0] ?? 0;
  for (const gap of [...breaks, { fromUs: moments.at(-1) ?? 0, untilUs: Number.NaN }]) {
    place(startUs);
    const count = Math.floor((scale(gap.fromUs) - scale(startUs)) / (leastPx * 1.5));
    if (count > 0) {
      for (const tickUs of scaleLinear([startUs, gap.fromUs], [0, 1]).ticks(count)) {
        if (Number.isInteger(tickUs)) place(tickUs);
      }
    }
    startUs = gap.untilUs;
  }
  return ticks;
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
