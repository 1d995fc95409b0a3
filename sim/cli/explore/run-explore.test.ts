import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExploreSummary } from '../../explore/counterexample/summary.ts';
import { simulatedTestbed } from '../../testbed/simulated/simulated-testbed.ts';
import { hostWith } from '../console/host-testing.ts';
import { runExplore } from './run-explore.ts';

describe('a run that never ends', () => {
  let folder: string;
  let channel: BroadcastChannel;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-explore-stuck-'));
    channel = new BroadcastChannel('distrilock-stuck');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });

  afterEach(() => {
    vi.useRealTimers();
    channel.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['nothing is proven', null, 3],
    ['Ctrl-C has ended it', 'SIGINT', 130],
  ])('is named, with the command that runs it again, and the exit code tells: %s', async (_what, signal, exitCode) => {
    const untilStuck = new Promise((resolve) => (channel.onmessage = resolve));
    const interruption = new AbortController();
    const { host, printed } = hostWith(simulatedTestbed, { signal: interruption.signal });
    const workerProgram = new URL('../../explore/search/stuck-worker-testing.ts', import.meta.url);
    const ended = runExplore({ seed: 7, runs: 120, workers: 1, out: folder, workerProgram }, host);
    await untilStuck;
    if (signal !== null) interruption.abort(signal);
    vi.advanceTimersByTime(200_000);
    expect(await ended).toBe(exitCode);
    const replay = 'npx distrilock explore --seed 7 --path 53';
    expect(printed.stdout).toMatch(/^50 runs .*: NOT every run came to an end, the others without a violation$/m);
    expect(printed.stdout).toContain('Run 53 of seed 7 did not come to an end, and its thread was ended');
    expect(printed.stdout).toContain(`This runs it again, until Ctrl-\\ ends it: ${replay}\n`);
    const summary = JSON.parse(readFileSync(join(folder, 'explore.json'), 'utf8')) as ExploreSummary;
    expect(summary.stuck).toEqual([{ seed: 7, index: 53, replay }]);
  });
});
