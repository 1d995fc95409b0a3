import { expect, it } from 'vitest';
import { SerialQueue } from './serial-queue.ts';

it('lets each piece of work begin only when those before it are done, or have failed', async () => {
  const queue = new SerialQueue();
  const said: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => async (): Promise<string> => {
    said.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.push(resolve));
    said.push(`${name} ends`);
    return name;
  };
  const first = queue.run(work('one'));
  const second = queue.run(() => Promise.reject(new Error('it cannot')));
  const third = queue.run(work('three'));
  await new Promise(setImmediate);
  expect(said).toEqual(['one begins']);
  ends[0]?.();
  expect(await first).toBe('one');
  await expect(second).rejects.toThrow('it cannot');
  await new Promise(setImmediate);
  ends[1]?.();
  expect(await third).toBe('three');
  expect(said).toEqual(['one begins', 'one ends', 'three begins', 'three ends']);
});
