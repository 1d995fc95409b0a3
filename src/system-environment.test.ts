import diagnosticsChannel from 'node:diagnostics_channel';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemEnvironment } from './system-environment.ts';

const { clock, timers, random } = systemEnvironment;

afterEach(() => {
  vi.useRealTimers();
});

describe('the system environment', () => {
  it('reads a monotonic clock and the wall clock', () => {
    const before = [performance.now(), Date.now()] as const;
    const [nowMs, wallMs] = [clock.now(), clock.wall()];
    expect(nowMs).toBeGreaterThanOrEqual(before[0]);
    expect(nowMs).toBeLessThanOrEqual(performance.now());
    expect(wallMs).toBeGreaterThanOrEqual(before[1]);
    expect(wallMs).toBeLessThanOrEqual(Date.now());
  });

  it('draws values of 160 bits, and fractions', () => {
    const tokens = Array.from({ length: 100 }, () => random.token());
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{40}$/);
    expect(new Set(tokens).size).toBe(100);
    const fraction = random.fraction();
    expect(fraction >= 0 && fraction < 1).toBe(true);
  });

  it('runs a timer no earlier than asked, by its own clock', async () => {
    for (const delayMs of [0, 0.5, 3.2, 7]) {
      const startedMs = clock.now();
      const firedMs = await new Promise<number>((resolve) => {
        timers.schedule(delayMs, () => resolve(clock.now()));
      });
      expect(firedMs - startedMs).toBeGreaterThanOrEqual(delayMs);
    }
  });

  it('runs a timer never within the call, and not once it is cancelled', async () => {
    let runs = 0;
    const cancel = timers.schedule(0, () => void (runs += 1));
    expect(runs).toBe(0);
    cancel();
    await new Promise<void>((resolve) => void timers.schedule(2, resolve));
    cancel();
    expect(runs).toBe(0);
  });

  it('takes delays that are longer than the timers of the platform', () => {
    vi.useFakeTimers();
    const monthsMs = 6e9;
    let runs = 0;
    timers.schedule(monthsMs, () => void (runs += 1));
    vi.advanceTimersByTime(monthsMs - 1);
    expect(runs).toBe(0);
    vi.advanceTimersByTime(1);
    expect(runs).toBe(1);
    const cancel = timers.schedule(monthsMs, () => void (runs += 1));
    vi.advanceTimersByTime(monthsMs - 1);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the diagnostics of the system', () => {
  it('are the channels of this process', () => {
    const published: unknown[] = [];
    const note = (message: unknown): unknown => published.push(message);
    diagnosticsChannel.subscribe('distrilock:lost', note);
    systemEnvironment.diagnostics?.channel('distrilock:lost').publish('a message');
    diagnosticsChannel.unsubscribe('distrilock:lost', note);
    expect(published).toEqual(['a message']);
    expect(systemEnvironment.diagnostics?.channel('distrilock:lost').hasSubscribers).toBe(false);
  });

  it('are the warnings of this process', async () => {
    const warned = once(process, 'warning');
    const warning = Object.assign(new Error('of a listener'), { name: 'DistrilockWarning' });
    const print = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    systemEnvironment.diagnostics?.warn(warning);
    expect(await warned).toEqual([warning]);
    print.mockRestore();
  });
});
