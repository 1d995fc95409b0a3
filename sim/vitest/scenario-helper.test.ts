import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeHistory } from '../history/ndjson.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { loadScenario } from '../scenario/load.ts';
import { scenario } from './index.ts';

const PAUSE = 'scenarios/kleppmann-gc-pause.yaml';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

describe('scenario', () => {
  it('runs a file as the command line does, by path, by URL and by text', async () => {
    const whole = encodeHistory(await simulatedTestbed.run(loadScenario(PAUSE), { seed: 3 }));
    expect(encodeHistory(await scenario(PAUSE, { seed: 3 }))).toBe(whole);
    const url = new URL(`../../${PAUSE}`, import.meta.url);
    expect(encodeHistory(await scenario(url, { seed: 3 }))).toBe(whole);
    const text = readFileSync(url, 'utf8');
    expect(encodeHistory(await scenario(text, { seed: 3 }))).toBe(
      whole.replace('"scenario":"kleppmann-gc-pause"', '"scenario":"scenario"'),
    );
  });

  it('runs an object with seed 1, and with the same seed gives the same history', async () => {
    const source = { clients: 2, settings: { ttl: '1s' } };
    const run = await scenario(source);
    expect(run.seed).toBe(1);
    expect(encodeHistory(await scenario(source))).toBe(encodeHistory(run));
    expect(encodeHistory(await scenario(source, { seed: 2 }))).not.toBe(encodeHistory(run));
  });

  it('runs many seeds, one after the other', async () => {
    const runs = await scenario({ clients: 1 }, { seed: 7, runs: 3 });
    expect(runs.map(({ seed }) => seed)).toEqual([7, 8, 9]);
    expect(new Set(runs.map((run) => encodeHistory(run))).size).toBe(3);
    expect(await scenario({ clients: 1 }, { runs: 1 })).toHaveLength(1);
  });

  it('gives every event, by index and one after the other', async () => {
    const run = await scenario({ clients: 1 });
    const events = [...run];
    expect(events).toHaveLength(run.length);
    expect(events[0]).toMatchObject({ type: 'run-started', seed: 1, clients: ['c1'] });
    expect(events.at(-1)).toEqual(run.at(run.length - 1));
    expect(() => run.at(run.length)).toThrow(RangeError);
  });

  it('gives runs that compare by their events', async () => {
    expect(await scenario({ settings: { ttl: '1s' } })).toEqual(await scenario({ settings: { ttl: '1s' } }));
    expect(await scenario({ settings: { ttl: '1s' } })).not.toEqual(await scenario({ settings: { ttl: '2s' } }));
  });

  it('needs no real timers', async () => {
    vi.useFakeTimers();
    expect(await scenario({ clients: 2 })).toHoldMutualExclusion();
  });

  it('runs once, with the seed that the environment asks for', async () => {
    vi.stubEnv('DISTRILOCK_SEED', '42');
    expect((await scenario({ clients: 1 }, { seed: 7 })).seed).toBe(42);
    expect((await scenario({ clients: 1 }, { runs: 100 })).map(({ seed }) => seed)).toEqual([42]);
    vi.stubEnv('DISTRILOCK_SEED', '');
    expect((await scenario({ clients: 1 }, { seed: 7 })).seed).toBe(7);
    vi.stubEnv('DISTRILOCK_SEED', 'many');
    await expect(scenario({ clients: 1 })).rejects.toThrow(
      'The variable DISTRILOCK_SEED must be a seed, a whole number from 0, not "many"',
    );
  });

  it.each([
    [{ run: 100 }, 'scenario has no option "run"; the scenario comes first, then seed and runs'],
    [{ seed: -1 }, 'seed must be a whole number from 0, not -1'],
    [{ seed: 0.5 }, 'seed must be a whole number from 0, not 0.5'],
    [{ seed: '1' }, 'seed must be a whole number from 0, not 1'],
    [{ runs: 0 }, 'runs must be a whole number from 1, not 0'],
    [{ seed: Number.MAX_SAFE_INTEGER, runs: 2 }, 'seed and runs must not go beyond 9007199254740991'],
  ])('refuses the options %o', async (options, message) => {
    await expect(scenario({}, options as never)).rejects.toThrow(message);
  });
});
