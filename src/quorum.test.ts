import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, quorumOf } from './quorum.ts';

const nodeCount = integer({ min: 1, max: 99 });

describe('a quorum', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i nodes is %i', (count, quorum) => {
    expect(quorumOf(count)).toBe(quorum);
  });

  it('shares a node with every other, and is the least that does', () => {
    assert(
      property(nodeCount, (count) => {
        const quorum = quorumOf(count);
        expect(2 * quorum).toBeGreaterThan(count);
        expect(2 * (quorum - 1)).toBeLessThanOrEqual(count);
      }),
    );
  });
});

describe('a vote', () => {
  const votes = integer({ min: 0, max: 99 });

  it('is decided once all nodes have voted, whatever they said', () => {
    assert(
      property(nodeCount, votes, (count, votesFor) => {
        const sure = Math.min(votesFor, count);
        expect(decide(count, sure, count - sure)).toBe(sure >= quorumOf(count) ? 'granted' : 'denied');
      }),
    );
  });

  it('is never decided otherwise by the votes still to come', () => {
    assert(
      property(nodeCount, votes, votes, votes, votes, (count, votesFor, votesAgainst, moreFor, moreAgainst) => {
        if (votesFor + votesAgainst + moreFor + moreAgainst > count) return;
        const early = decide(count, votesFor, votesAgainst);
        if (early === 'pending') return;
        expect(decide(count, votesFor + moreFor, votesAgainst + moreAgainst)).toBe(early);
      }),
    );
  });

  it('is decided as soon as it can be', () => {
    assert(
      property(nodeCount, votes, votes, (count, votesFor, votesAgainst) => {
        if (votesFor + votesAgainst > count || decide(count, votesFor, votesAgainst) !== 'pending') return;
        const open = count - votesFor - votesAgainst;
        expect(decide(count, votesFor + open, votesAgainst)).toBe('granted');
        expect(decide(count, votesFor, votesAgainst + open)).toBe('denied');
      }),
    );
  });
});
