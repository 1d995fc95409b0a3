import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageScaleOf, storyScaleOf } from './time-scale.ts';

const page = { pageWidthPx: 1000, mostWidthPx: 5000 };

const optionsOf = fc
  .record({
    fromUs: fc.integer({ min: 0, max: 1e9 }),
    gapsUs: fc.array(fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 1e9 })), { maxLength: 60 }),
    flightsUs: fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 20 }),
  })
  .map(({ fromUs, gapsUs, flightsUs }) => {
    const momentsUs = gapsUs.reduce((moments, gap) => [...moments, (moments.at(-1) ?? fromUs) + gap], [fromUs]);
    return { fromUs, untilUs: momentsUs.at(-1) ?? fromUs, momentsUs: [...momentsUs].reverse(), flightsUs, ...page };
  });

describe.each([
  ['messageScaleOf', messageScaleOf],
  ['storyScaleOf', storyScaleOf],
])('%s', (_name, scaleOf) => {
  it('keeps the order of moments, from edge to edge, and no wider than allowed', () => {
    fc.assert(
      fc.property(optionsOf, (options) => {
        const scale = scaleOf(options);
        const places = [...options.momentsUs].sort((left, right) => left - right).map((us) => scale.x(us));
        places.forEach((place, index) => {
          expect(place).toBeGreaterThanOrEqual(places[index - 1] ?? 0);
        });
        expect(scale.x(scale.fromUs)).toBe(0);
        expect(scale.x(scale.untilUs)).toBeCloseTo(scale.widthPx, 6);
        expect(scale.widthPx).toBeGreaterThanOrEqual(page.pageWidthPx);
        expect(scale.widthPx).toBeLessThanOrEqual(page.mostWidthPx);
      }),
    );
  });

  it('puts what lies outside at the edges', () => {
    const scale = scaleOf({ fromUs: 100, untilUs: 200, momentsUs: [150], flightsUs: [], ...page });
    expect(scale.x(0)).toBe(0);
    expect(scale.x(Infinity)).toBe(scale.x(200));
  });

  it('labels whole microseconds, apart from each other', () => {
    fc.assert(
      fc.property(optionsOf, (options) => {
        const scale = scaleOf(options);
        const ticks = scale.ticksUs(60);
        ticks.forEach((tick, index) => {
          expect(Number.isInteger(tick)).toBe(true);
          if (index > 0) expect(scale.x(tick) - scale.x(ticks[index - 1] ?? 0)).toBeGreaterThanOrEqual(60 - 1e-9);
        });
      }),
    );
  });
});

describe('messageScaleOf', () => {
  it('shows a burst within a millisecond, and makes hours of idleness a break', () => {
    const burst = [0, 300, 500, 700, 1000];
    const later = 3_600_000_000;
    const momentsUs = [...burst, ...burst.map((us) => us + later)];
    const scale = messageScaleOf({ fromUs: 0, untilUs: later + 1000, momentsUs, flightsUs: [500, 500], ...page });
    expect(scale.breaks).toEqual([{ fromUs: 1000, untilUs: later }]);
    expect(scale.x(1000)).toBeGreaterThan(100);
    expect(scale.x(later) - scale.x(1000)).toBeLessThan(scale.widthPx * 0.6);
  });
});

describe('storyScaleOf', () => {
  it('is as wide as the page, and has no breaks', () => {
    const scale = storyScaleOf({ fromUs: 0, untilUs: 1e9, momentsUs: [1, 2, 1e6], flightsUs: [], ...page });
    expect(scale.widthPx).toBe(page.pageWidthPx);
    expect(scale.breaks).toEqual([]);
  });
});
