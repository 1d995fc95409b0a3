import { describe, expect, it } from 'vitest';
import { Tally, type Vote } from './tally.ts';

type Answers = readonly (readonly [node: number, vote: Vote])[];

function tallyOf(partCount: number, answers: Answers): Tally {
  const tally = new Tally(3, partCount, 2);
  for (const [node, vote] of answers) tally.count(node, vote);
  return tally;
}

describe('Tally', () => {
  it.each<[string, number, Answers, 'carried' | 'lost' | 'open']>([
    ['nothing', 1, [], 'open'],
    [
      'a quorum for it',
      1,
      [
        [0, 'for'],
        [2, 'for'],
      ],
      'carried',
    ],
    [
      'one for it and one against it',
      1,
      [
        [0, 'for'],
        [1, 'against'],
      ],
      'open',
    ],
    [
      'two that are no good',
      1,
      [
        [0, 'missing'],
        [1, 'against'],
      ],
      'lost',
    ],
    [
      'half of the parts of two',
      2,
      [
        [0, 'for'],
        [1, 'for'],
      ],
      'open',
    ],
    [
      'all parts of two',
      2,
      [
        [0, 'for'],
        [1, 'for'],
        [0, 'for'],
        [1, 'for'],
      ],
      'carried',
    ],
    [
      'a part that two deny',
      2,
      [
        [0, 'for'],
        [1, 'for'],
        [0, 'against'],
        [1, 'against'],
      ],
      'lost',
    ],
    [
      'one that denies twice',
      2,
      [
        [0, 'against'],
        [0, 'against'],
      ],
      'open',
    ],
  ])('of %s', (_, partCount, answers, expected) => {
    const { isCarried, isLost } = tallyOf(partCount, answers);
    expect(isCarried ? 'carried' : isLost ? 'lost' : 'open').toBe(expected);
  });

  it.each<[boolean, string, number, Answers]>([
    [true, 'all kept silent', 1, []],
    [true, 'two kept silent', 1, [[0, 'for']]],
    [
      false,
      'one kept silent',
      1,
      [
        [0, 'for'],
        [1, 'against'],
      ],
    ],
    [
      true,
      'two failed',
      1,
      [
        [0, 'missing'],
        [1, 'missing'],
      ],
    ],
    [
      false,
      'two denied before the third answered',
      1,
      [
        [0, 'against'],
        [1, 'against'],
      ],
    ],
    [
      false,
      'one failed, and the third did not answer before the vote was lost',
      1,
      [
        [0, 'missing'],
        [1, 'against'],
      ],
    ],
    [
      true,
      'two failed for one part',
      2,
      [
        [0, 'for'],
        [0, 'missing'],
        [1, 'missing'],
        [1, 'for'],
      ],
    ],
    [
      false,
      'one that failed for one part denied another',
      2,
      [
        [0, 'missing'],
        [0, 'against'],
        [1, 'missing'],
      ],
    ],
    [
      true,
      'two answered in part',
      2,
      [
        [0, 'for'],
        [1, 'for'],
        [2, 'for'],
        [2, 'for'],
      ],
    ],
  ])('says that a quorum is out of reach (%s) where %s', (expected, _, partCount, answers) => {
    expect(tallyOf(partCount, answers).lacksQuorum()).toBe(expected);
  });
});
