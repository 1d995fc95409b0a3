import { describe, expect, it } from 'vitest';
import { within } from './deadline.ts';

const NEVER = new Promise<never>(() => undefined);
const LATE = (): Error => new Error('late');

describe('within', () => {
  it('passes on what comes in time, be it an error', async () => {
    await expect(within(60_000, Promise.resolve(7), LATE)).resolves.toBe(7);
    await expect(within(60_000, Promise.reject(new Error('wrong')), LATE)).rejects.toThrow('wrong');
  });

  it('rejects when time is up, with what is found out then', async () => {
    await expect(within(1, NEVER, LATE)).rejects.toThrow('late');
    await expect(within(1, NEVER, () => Promise.resolve(new Error('it was Toxiproxy')))).rejects.toThrow('Toxiproxy');
  });
});
