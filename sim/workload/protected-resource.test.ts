import { describe, expect, it } from 'vitest';
import { ProtectedResource, type WriteReply } from './protected-resource.ts';

describe('ProtectedResource', () => {
  const replies = (...writes: readonly (readonly [resource: string, token: number | null])[]): WriteReply[] => {
    const protectedResource = new ProtectedResource();
    return writes.map(([resource, token], index) =>
      protectedResource.write({ write: index + 1, lease: 1, resource, token }),
    );
  };

  it('takes every write without a token, and forgets no token because of it', () => {
    expect(replies(['r', null], ['r', 5], ['r', null], ['r', 4])).toEqual([
      { accepted: true },
      { accepted: true },
      { accepted: true },
      { accepted: false, largestToken: 5 },
    ]);
  });

  it('refuses tokens that are smaller than the largest, which refused ones do not raise', () => {
    expect(replies(['r', 5], ['r', 5], ['r', 9], ['r', 8], ['r', 9])).toEqual([
      { accepted: true },
      { accepted: true },
      { accepted: true },
      { accepted: false, largestToken: 9 },
      { accepted: true },
    ]);
  });

  it('knows tokens of each resource apart', () => {
    expect(replies(['r', 5], ['s', 1])).toEqual([{ accepted: true }, { accepted: true }]);
  });
});
