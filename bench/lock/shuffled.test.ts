import { expect, it } from 'vitest';
import { RandomStreams } from '../../sim/testbed/random-streams.ts';
import { shuffled } from './shuffled.ts';

it('draws every order about as often, and the same ones from the same seed', () => {
  const draw = (): string[] => {
    const random = new RandomStreams(1).stream('order');
    return Array.from({ length: 6000 }, () => shuffled(['a', 'b', 'c'], random).join(''));
  };
  const counts = new Map<string, number>();
  for (const order of draw()) counts.set(order, (counts.get(order) ?? 0) + 1);
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(count).toBeGreaterThan(850);
  expect(draw()).toEqual(draw());
});
