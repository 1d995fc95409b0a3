import { afterEach, describe, expect, it, vi } from 'vitest';
import { atEndOfTick } from './tick-end.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('atEndOfTick', () => {
  it('runs what is handed over before it runs in one go, in order, and what comes meanwhile after that', async () => {
    const ran: string[] = [];
    atEndOfTick(() => {
      ran.push('first');
      atEndOfTick(() => ran.push('last'));
    });
    atEndOfTick(() => ran.push('second'));
    expect(ran).toEqual([]);
    await Promise.resolve();
    expect(ran).toEqual(['first', 'second']);
    await Promise.resolve();
    expect(ran).toEqual(['first', 'second', 'last']);
  });

  it('runs each once, however many came in ticks before', async () => {
    const ran: string[] = [];
    for (const tick of [['a', 'b', 'c'], ['d'], ['e', 'f'], ['g']]) {
      for (const name of tick) atEndOfTick(() => ran.push(name));
      await Promise.resolve();
    }
    expect(ran).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('runs the others where one throws, and then tells of it', async () => {
    const microtasks: (() => void)[] = [];
    vi.stubGlobal('queueMicrotask', (task: () => void) => microtasks.push(task));
    const other = vi.fn();
    atEndOfTick(() => {
      throw new Error('broken');
    });
    atEndOfTick(other);
    await Promise.resolve();
    expect(other).toHaveBeenCalledOnce();
    expect(microtasks).toHaveLength(1);
    expect(microtasks[0]).toThrow('broken');
  });
});
