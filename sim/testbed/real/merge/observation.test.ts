import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settleTimes, observationOf } from './observation.ts';

function settled(...bounds: readonly [heardUs: number, notBeforeUs: number, notAfterUs: number][]): number[] {
  const observations = bounds.map(([timeUs, notBeforeUs, notAfterUs]) => ({
    ...observationOf({ timeUs }),
    notBeforeUs,
    notAfterUs,
  }));
  settleTimes(observations);
  return observations.map(({ timeUs }) => timeUs);
}

const EVER = Number.POSITIVE_INFINITY;

describe('settleTimes', () => {
  it('leaves alone what fits', () => {
    expect(settled([10, 5, 20], [20, 11, EVER], [20, -EVER, 30])).toEqual([10, 20, 20]);
  });

  it('what came before something that was over by then was over too', () => {
    expect(settled([10, 5, EVER], [11, 5, 8])).toEqual([8, 8]);
  });

  it('nothing comes before it can', () => {
    expect(settled([10, 12, 20], [11, -EVER, EVER])).toEqual([12, 12]);
  });

  it('finds times that fit whenever there are such, however late the news was', () => {
    const step = fc.record({
      pass: fc.nat(20),
      late: fc.nat(50),
      sinceSent: fc.nat(30),
      untilAnswer: fc.nat(30),
      isAnswered: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        let nowUs = 100;
        let heardUs = 0;
        const observations = steps.map(({ pass, late, sinceSent, untilAnswer, isAnswered }) => {
          nowUs += pass;
          // News comes in order.
          heardUs = Math.max(heardUs, nowUs + late);
          return {
            event: nowUs,
            timeUs: heardUs,
            notBeforeUs: nowUs - sinceSent,
            notAfterUs: isAnswered ? nowUs + untilAnswer : EVER,
          };
        });
        const heard = observations.map(({ timeUs }) => timeUs);
        settleTimes(observations);
        observations.forEach(({ event, timeUs, notBeforeUs, notAfterUs }, index) => {
          expect(timeUs).toBeGreaterThanOrEqual(notBeforeUs);
          expect(timeUs).toBeLessThanOrEqual(notAfterUs);
          expect(timeUs).toBeLessThanOrEqual(heard[index] as number);
          // Later than the truth at the most.
          expect(timeUs).toBeGreaterThanOrEqual(event);
          if (index > 0) expect(timeUs).toBeGreaterThanOrEqual(observations[index - 1]?.timeUs as number);
        });
      }),
      { seed: 1 },
    );
  });
});
