import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Corpus, CorpusError } from './corpus.ts';
import { propertiesBrokenOutside, WHOLE_ENVELOPE } from '../envelope/envelope.ts';
import { explore, type Exploration, type ExploreOptions } from './explore.ts';

const NEVER = new AbortController().signal;

function run(changes: Partial<ExploreOptions>): Promise<Exploration> {
  return explore({
    seed: 1,
    runs: 120,
    timeMs: Number.POSITIVE_INFINITY,
    threads: 1,
    envelope: WHOLE_ENVELOPE,
    properties: [],
    fingerprint: true,
    corpus: new Corpus([]),
    signal: NEVER,
    onProgress: () => undefined,
    ...changes,
  });
}

function withoutTime(exploration: Exploration): Exploration {
  return { ...exploration, elapsedMs: 0 };
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-explore-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('explore', () => {
  it('comes to the same on one thread and on three, byte for byte', async () => {
    const one = await run({ threads: 1 });
    const three = await run({ threads: 3 });
    expect(withoutTime(three)).toEqual(withoutTime(one));
    expect(one.runs).toBe(120);
    expect(one.fingerprint).not.toMatch(/^0+$/);
    const other = await run({ threads: 1, seed: 2 });
    expect(other.fingerprint).not.toBe(one.fingerprint);
  });

  it('finds the run of the smallest number, on however many threads', async () => {
    const envelope = { open: ['clock-rate'] as const };
    const properties = propertiesBrokenOutside(envelope);
    const [one, three] = [
      await run({ envelope, properties, runs: 1000, threads: 1 }),
      await run({ envelope, properties, runs: 1000, threads: 3 }),
    ];
    expect(one.hit).not.toBeNull();
    expect(withoutTime(three)).toEqual(withoutTime(one));
  });

  it('runs what the corpus has first, what broke before all, and then goes on to what was asked for', async () => {
    const envelope = { open: ['clock-rate'] as const };
    const properties = propertiesBrokenOutside(envelope);
    const first = await run({ envelope, properties, runs: 1000 });
    if (first.hit === null) throw new Error('nothing was found');
    const broken = new Map([[first.hit.finding.symptom, first.hit.key]]);
    const corpus = new Corpus([]).updated(envelope, { firsts: first.firsts, broken, isWhole: true });
    const [alone, again] = [
      await run({ envelope, properties, runs: 1000, seed: 99 }),
      await run({ envelope, properties, runs: 1000, seed: 99, corpus }),
    ];
    expect(again.known.map(({ key }) => key)).toEqual([first.hit.key]);
    expect(again.corpusRuns).toBeGreaterThan(0);
    // The corpus changes nothing of what is found, nor of the fingerprint.
    expect(again.hit).toEqual(alone.hit);
    expect(again.hit?.key.seed).toBe(99);
    expect(again.runs).toBe(again.corpusRuns + alone.runs);
    expect(again.fingerprint).toBe(alone.fingerprint);
    // It is of this envelope only.
    expect(corpus.keysFor(WHOLE_ENVELOPE)).toEqual([]);
  });

  it('takes a run that is in the corpus and in the range into its fingerprint once', async () => {
    const alone = await run({ runs: 20 });
    const broken = new Map([['mutual-exclusion', { seed: 1, index: 3 }]]);
    const corpus = new Corpus([]).updated(WHOLE_ENVELOPE, { firsts: alone.firsts, broken, isWhole: true });
    const again = await run({ runs: 20, corpus });
    expect(again.runs).toBeGreaterThan(20);
    expect(again.fingerprint).toBe(alone.fingerprint);
  });

  it('ends soon when it is interrupted, or its time is over, and leaves no thread', async () => {
    const interruption = new AbortController();
    const stopped = await run({
      runs: Number.POSITIVE_INFINITY,
      threads: 2,
      signal: interruption.signal,
      onProgress: ({ runs }) => {
        if (runs > 0) interruption.abort('SIGINT');
      },
    });
    expect(stopped.runs).toBeGreaterThan(0);
    expect(stopped.runs).toBeLessThan(500);
    const timed = await run({ runs: Number.POSITIVE_INFINITY, timeMs: 1 });
    expect(timed.runs).toBeLessThanOrEqual(50);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toEqual([]);
  });

  describe('with a run that never ends', () => {
    const workerProgram = new URL('stuck-worker-testing.ts', import.meta.url);
    /** Resolves when a thread is in that run. */
    let untilStuck: Promise<unknown>;
    let channel: BroadcastChannel;

    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
      channel = new BroadcastChannel('distrilock-stuck');
      untilStuck = new Promise((resolve) => (channel.onmessage = resolve));
    });

    afterEach(() => {
      channel.close();
      vi.useRealTimers();
    });

    it.each([
      ['by a signal', 3000],
      ['by its time', 3000],
      ['by nothing', 120_000],
    ])('gives up the run when it is ended %s, says which it was, and keeps the rest', async (how, patienceMs) => {
      const interruption = new AbortController();
      const ended = run({
        workerProgram,
        runs: 120,
        timeMs: how === 'by its time' ? 1500 : Number.POSITIVE_INFINITY,
        signal: interruption.signal,
      });
      await untilStuck;
      vi.advanceTimersByTime(1000);
      if (how === 'by a signal') interruption.abort('SIGINT');
      // The only interval is the one at which the thread is looked at.
      vi.advanceTimersByTime(patienceMs - 1);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(1);
      expect(vi.getTimerCount()).toBe(0);
      const { stuck, runs, hit } = await ended;
      expect(stuck).toEqual([{ seed: 1, index: 53 }]);
      expect({ runs, hit }).toEqual({ runs: 50, hit: null });
    });
  });

  it('starts no more threads than there are jobs', async () => {
    let started = 0;
    const onWorker = (): void => {
      started += 1;
    };
    process.on('worker', onWorker);
    try {
      await run({ runs: 60, threads: 4 });
    } finally {
      process.off('worker', onWorker);
    }
    expect(started).toBeGreaterThan(0);
    expect(started).toBeLessThanOrEqual(2);
  });

  it('starts no thread once it is interrupted', async () => {
    const program = join(folder, 'never-started.ts');
    writeFileSync(program, "throw new Error('a thread was started');");
    const signal = AbortSignal.abort('SIGINT');
    const { runs, elapsedMs } = await run({ threads: 2, signal, workerProgram: pathToFileURL(program) });
    expect({ runs, elapsedMs }).toEqual({ runs: 0, elapsedMs: 0 });
  });

  it('says how far it is', async () => {
    const seen: number[] = [];
    await run({ onProgress: ({ runs }) => seen.push(runs) });
    expect(seen).toEqual([50, 100, 120]);
  });
});

describe('Corpus', () => {
  const key = (index: number): { seed: number; index: number } => ({ seed: 1, index });
  const news = (cells: Record<string, number>, isWhole = true): Parameters<Corpus['updated']>[1] => ({
    firsts: new Map(Object.entries(cells).map(([cell, index]) => [cell, key(index)])),
    broken: new Map(),
    isWhole,
  });

  it('is read as it was written', () => {
    const path = join(folder, 'deep', 'corpus.json');
    const corpus = new Corpus([]).updated(WHOLE_ENVELOPE, news({ 'crash voting': 3, 'loss idle': 4 }));
    corpus.write(path);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['corpus.json']);
    expect(Corpus.read(path).keysFor(WHOLE_ENVELOPE)).toEqual([key(3), key(4)]);
    expect(Corpus.read(join(folder, 'none.json')).size).toBe(0);
  });

  it('drops runs that bring about nothing any more, unless they were not run; and never those in which something broke', () => {
    const broken = new Map([['mutual-exclusion', key(9)]]);
    const corpus = new Corpus([]).updated(WHOLE_ENVELOPE, { ...news({ 'crash voting': 3 }), broken });
    expect(corpus.keysFor(WHOLE_ENVELOPE)).toEqual([key(9), key(3)]);
    expect(corpus.updated(WHOLE_ENVELOPE, news({ 'loss idle': 4 })).keysFor(WHOLE_ENVELOPE)).toEqual([key(9), key(4)]);
    const partly = corpus.updated(WHOLE_ENVELOPE, news({ 'loss idle': 4 }, false));
    expect(partly.keysFor(WHOLE_ENVELOPE)).toEqual([key(9), key(3), key(4)]);
    const elsewhere = corpus.updated({ open: ['restart'] }, news({}));
    expect(elsewhere.keysFor(WHOLE_ENVELOPE)).toEqual([key(9), key(3)]);
  });

  it.each([
    ['no JSON', '{', 'is no corpus that can be read'],
    ['no JSON of several lines', '{\n"x": tru\n}', "is no corpus that can be read (Unexpected token ' ', "],
    ['another file', '{"format":2,"runs":[]}', 'is no corpus (format:'],
    [
      'a wrong run',
      '{"format":1,"runs":[{"open":["x"],"seed":1,"index":1,"why":"w"}]}',
      'is no corpus (runs.0.open.0:',
    ],
  ])('refuses %s, and says what to do', (_what, text, problem) => {
    const path = join(folder, 'corpus.json');
    writeFileSync(path, text);
    expect(() => Corpus.read(path)).toThrow(CorpusError);
    expect(() => Corpus.read(path)).toThrow(problem);
    expect(() => Corpus.read(path)).toThrow('remove it, or name another file with --corpus');
  });
});
