import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RandomStreams } from '../../random-streams.ts';
import { type ClockSettings, SkewedEnvironment } from './skewed-environment.ts';

function environment(settings: Partial<ClockSettings> = {}): SkewedEnvironment {
  return new SkewedEnvironment(
    { clock: 'monotonic', wallOffset: 0, rate: 1, ...settings },
    new RandomStreams(1).stream('A'),
  );
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

/** How far each clock goes in so many true milliseconds. */
function advanceMs(one: SkewedEnvironment, milliseconds: number): { readonly now: number; readonly wall: number } {
  const before = { now: one.clock.now(), wall: one.clock.wall() };
  vi.advanceTimersByTime(milliseconds);
  return { now: one.clock.now() - before.now, wall: one.clock.wall() - before.wall };
}

describe('the clocks', () => {
  it('are those of the system unless they are off', () => {
    const one = environment();
    expect(one.clock.wall()).toBe(1_700_000_000_000);
    expect(advanceMs(one, 100)).toEqual({ now: 100, wall: 100 });
  });

  it('may be off, and run at a wrong rate', () => {
    const one = environment({ wallOffset: -5000, rate: 1.5 });
    expect(one.clock.wall()).toBe(1_699_999_995_000);
    expect(advanceMs(one, 100)).toEqual({ now: 150, wall: 150 });
    expect(one.trueMs(150)).toBe(100);
  });

  it('run at a new rate from when it is set', () => {
    const one = environment({ rate: 2 });
    expect(advanceMs(one, 100)).toEqual({ now: 200, wall: 200 });
    one.setRate(0.5);
    expect(advanceMs(one, 100)).toEqual({ now: 50, wall: 50 });
    expect(one.trueMs(50)).toBe(100);
  });

  it('jump on the wall only', () => {
    const one = environment();
    const before = one.clock.now();
    one.jumpWallClock(3_600_000);
    expect(one.clock.wall()).toBe(1_700_003_600_000);
    expect(one.clock.now()).toBe(before);
  });

  it('of a client that takes the wall clock for elapsed time jump both', () => {
    const one = environment({ clock: 'wall' });
    const before = one.clock.now();
    one.jumpWallClock(-1000);
    expect(one.clock.now()).toBe(before - 1000);
    expect(one.clock.now()).toBe(one.clock.wall());
  });
});

describe('the timers', () => {
  function fireTimes(one: SkewedEnvironment, ...delays: number[]): () => number[] {
    const start = Date.now();
    const fired: number[] = [];
    for (const delay of delays) one.timers.schedule(delay, () => fired.push(Date.now() - start));
    return () => fired;
  }

  it('run at the rate of the clocks', () => {
    const fired = fireTimes(environment({ rate: 2 }), 100, 0);
    vi.advanceTimersByTime(1000);
    expect(fired()).toEqual([0, 50]);
  });

  it('that run already follow a new rate, both ways', () => {
    const one = environment();
    const fired = fireTimes(one, 1000, 2000);
    vi.advanceTimersByTime(500);
    one.setRate(10);
    vi.advanceTimersByTime(100);
    expect(fired()).toEqual([550]);
    one.setRate(0.5);
    vi.advanceTimersByTime(999);
    expect(fired()).toEqual([550]);
    vi.advanceTimersByTime(1);
    expect(fired()).toEqual([550, 1600]);
  });

  it('do not come early, though the event loop may', () => {
    const one = environment();
    const due = one.clock.now() + 10.7;
    let firedAt: number | null = null;
    one.timers.schedule(10.7, () => (firedAt = one.clock.now()));
    vi.advanceTimersByTime(10);
    expect(firedAt).toBeNull();
    vi.advanceTimersByTime(1);
    expect(firedAt).toBeGreaterThanOrEqual(due);
  });

  it('can be called off, and wait longer than setTimeout can', () => {
    const one = environment();
    const fired: string[] = [];
    const cancel = one.timers.schedule(100, () => fired.push('never'));
    cancel();
    one.setRate(2);
    one.timers.schedule(2 ** 32, () => fired.push('late'));
    vi.advanceTimersByTime(2 ** 31 - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['late']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('chance follows from the stream', () => {
  const draw = (): unknown[] => {
    const { random } = environment();
    return [random.token(), random.fraction()];
  };
  expect(draw()).toEqual(draw());
  expect(draw()[0]).toMatch(/^[0-9a-f]{40}$/);
});
