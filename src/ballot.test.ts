import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ballot } from './ballot.ts';
import { decide } from './quorum.ts';

const election = fc
  .record({ nodeCount: fc.integer({ min: 1, max: 7 }), partCount: fc.integer({ min: 1, max: 4 }) })
  .chain(({ nodeCount, partCount }) => {
    const places = Array.from({ length: nodeCount * partCount }, (_, place) => place);
    return fc.record({
      nodeCount: fc.constant(nodeCount),
      partCount: fc.constant(partCount),
      order: fc.shuffledSubarray(places),
      supports: fc.array(fc.boolean(), { minLength: places.length, maxLength: places.length }),
    });
  });

/** The same from the beginning: whole nodes are counted, whatever the order. */
function decideSlowly(nodeCount: number, partCount: number, counted: ReadonlyMap<number, boolean>): string {
  let votesFor = 0;
  let votesAgainst = 0;
  for (let node = 0; node < nodeCount; node += 1) {
    const parts = Array.from({ length: partCount }, (_, part) => counted.get(node * partCount + part));
    if (parts.includes(false)) votesAgainst += 1;
    else if (!parts.includes(undefined)) votesFor += 1;
  }
  return decide(nodeCount, votesFor, votesAgainst);
}

describe('a ballot', () => {
  it('counts nodes that are for it in all parts, and against it in any', () => {
    const ballot = new Ballot(3, 2);
    const decisions = [
      [0, true],
      [2, true],
      [5, false],
      [1, true],
      [4, true],
      [3, true],
    ] as const;
    expect(
      decisions.map(([place, supports]) => {
        ballot.count(place, supports);
        return ballot.decide();
      }),
    ).toEqual(['pending', 'pending', 'pending', 'pending', 'pending', 'granted']);
  });

  it('is denied by nodes that are each against another part', () => {
    const ballot = new Ballot(3, 2);
    ballot.count(0, false);
    ballot.count(3, false);
    expect(ballot.decide()).toBe('denied');
  });

  it('comes to what counting whole nodes comes to, in any order', () => {
    fc.assert(
      fc.property(election, ({ nodeCount, partCount, order, supports }) => {
        const ballot = new Ballot(nodeCount, partCount);
        const counted = new Map<number, boolean>();
        for (const place of order) {
          const isFor = supports[place] === true;
          ballot.count(place, isFor);
          counted.set(place, isFor);
          expect(ballot.decide()).toBe(decideSlowly(nodeCount, partCount, counted));
        }
      }),
    );
  });
});
