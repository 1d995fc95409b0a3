import fc from 'fast-check';
import { RandomStream } from '../../testbed/random-streams.ts';
import type { Trial } from '../arbitraries/scenario.ts';

const TWO_TO_32 = 0x1_0000_0000;

/** The seed of fast-check for the run of this index: whoever runs it, and in whatever order, draws the same. */
export function drawSeed(seed: number, index: number): number {
  return Math.floor(new RandomStream(`explore ${seed} ${index}`).fraction() * TWO_TO_32) | 0;
}

/** What is drawn for the run of this index. */
export function trialAt(trials: fc.Arbitrary<Trial>, seed: number, index: number): Trial {
  const [trial] = fc.sample(trials, { seed: drawSeed(seed, index), numRuns: 1 });
  return trial as Trial;
}

/** What is drawn, and then made smaller, by a path: the index of the run, and which of the smaller values is taken each time. */
export function trialAtPath(trials: fc.Arbitrary<Trial>, seed: number, path: string): Trial {
  const [index, ...smaller] = path.split(':');
  const [trial] = fc.sample(trials, {
    seed: drawSeed(seed, Number(index)),
    path: ['0', ...smaller].join(':'),
    numRuns: 1,
  });
  if (trial === undefined) throw new RangeError(`there is nothing at the path ${path}`);
  return trial;
}
