import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { drainMicrotasks } from './microtasks.ts';

/** Resolves to what `run` returns, in a macrotask of its own. */
async function inMacrotask<Result>(run: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

it('drainMicrotasks runs every continuation that is due, and those that they make due, before it returns', async () => {
  const story = await inMacrotask(() => {
    const heard: string[] = [];
    const follow = async (): Promise<void> => {
      await Promise.resolve();
      heard.push('first');
      for (let count = 0; count < 100; count += 1) await Promise.resolve();
      heard.push('last');
    };
    void follow();
    heard.push('before');
    drainMicrotasks();
    heard.push('after');
    return heard;
  });
  expect(story).toEqual(['before', 'first', 'last', 'after']);
});

it('drainMicrotasks does nothing inside a microtask, which is why programs run in events', async () => {
  const heard: string[] = [];
  await setImmediate();
  await Promise.resolve().then(() => {
    void Promise.resolve().then(() => heard.push('continuation'));
    drainMicrotasks();
    heard.push('after');
  });
  expect(heard[0]).toBe('after');
});

it('leaves native calls forbidden', () => {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- what is tested is that this cannot be compiled
  expect(() => new Function('%PerformMicrotaskCheckpoint();')).toThrow(SyntaxError);
});
