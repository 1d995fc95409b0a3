import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from './errors.ts';
import { targetOf } from './lock-target.ts';

describe('the target of a lock', () => {
  it('has one resource for one name', () => {
    expect(targetOf('a', 'lock:')).toEqual({ resources: ['a'], keys: ['lock:a'] });
    expect(targetOf(['a'], 'lock:')).toEqual({ resources: ['a'], keys: ['lock:a'] });
  });

  it('sorts names by code units, wherever it runs, and has each of them once', () => {
    const given = ['b', 'ä', 'a', 'B', 'a', '10', '9'];
    expect(targetOf(given, '').keys).toEqual(['10', '9', 'B', 'a', 'b', 'ä']);
    expect(given).toEqual(['b', 'ä', 'a', 'B', 'a', '10', '9']);
  });

  it.each([
    [[], 'resources must not be an empty array: name what is to be locked'],
    [undefined, 'resource must be a string that is not empty, not undefined'],
    [['a', ''], 'resources[1] must be a string that is not empty, not ""'],
    [['a', 7], 'resources[1] must be a string that is not empty, not 7'],
    [Array.from({ length: 1 }), 'resources[0] must be a string that is not empty, not undefined'],
    [[['a']], 'resources[0] must be a string that is not empty, not an array'],
    [new Set(['a']), 'resource must be a string that is not empty, not an object'],
    [['a:fencing-counter'], 'resources[0] must not end in :fencing-counter, which names fencing counters'],
  ])('refuses %j', (resources, message) => {
    expect(() => targetOf(resources, 'lock:')).toThrow(InvalidOptionError);
    expect(() => targetOf(resources, 'lock:')).toThrow(message);
  });
});
