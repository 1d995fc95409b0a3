import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RandomStream, RandomStreams } from './random-streams.ts';

function fractions(stream: RandomStream, count: number): number[] {
  return Array.from({ length: count }, () => stream.fraction());
}

describe('RandomStreams', () => {
  it('gives a stream that follows from seed and name alone', () => {
    const one = fractions(new RandomStreams(7).stream('client A'), 50);
    expect(fractions(new RandomStreams(7).stream('client A'), 50)).toEqual(one);
    expect(fractions(new RandomStreams(8).stream('client A'), 50)).not.toEqual(one);
    expect(fractions(new RandomStreams(7).stream('client B'), 50)).not.toEqual(one);
  });

  it('never moves one stream by draws from another', () => {
    const streams = new RandomStreams(3);
    const undisturbed = fractions(streams.stream('quiet'), 40);
    const quiet = streams.stream('quiet');
    const busy = streams.stream('busy');
    const drawn = undisturbed.map(() => {
      busy.token();
      return quiet.fraction();
    });
    expect(drawn).toEqual(undisturbed);
  });

  it('draws fractions of at least 0 and below 1 that spread evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 }), (seed) => {
        const drawn = fractions(new RandomStreams(seed).stream('x'), 2000);
        expect(drawn.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
        // Ten standard deviations of a uniform mean.
        const mean = drawn.reduce((sum, fraction) => sum + fraction, 0) / drawn.length;
        expect(Math.abs(mean - 0.5)).toBeLessThan((10 * Math.sqrt(1 / 12)) / Math.sqrt(drawn.length));
      }),
      { seed: 1 },
    );
  });

  it('draws tokens of 160 bits, each of which varies', () => {
    const stream = new RandomStreams(1).stream('client A');
    const everSet = new Uint8Array(160);
    const everClear = new Uint8Array(160);
    for (let count = 0; count < 200; count += 1) {
      const token = stream.token();
      expect(token).toMatch(/^[0-9a-f]{40}$/);
      const bits = BigInt(`0x${token}`).toString(2).padStart(160, '0');
      for (let place = 0; place < 160; place += 1) (bits.charAt(place) === '1' ? everSet : everClear)[place] = 1;
    }
    expect(Math.min(...everSet, ...everClear)).toBe(1);
  });

  it('gives no two of very many clients the same tokens', () => {
    // Streams with 32 bits of state would share some twelve tokens among so many names that look like chance.
    const count = 320_000;
    const names = new RandomStreams(1).stream('names');
    const streams = new RandomStreams(2);
    const tokens = new Set<string>();
    for (let client = 0; client < count; client += 1) tokens.add(streams.stream(names.token()).token());
    expect(tokens.size).toBe(count);
  });

  it('tells seeds apart that differ beyond 32 bits', () => {
    const one = new RandomStreams(1).stream('x').token();
    expect(new RandomStreams(1 + 2 ** 32).stream('x').token()).not.toBe(one);
  });
});
