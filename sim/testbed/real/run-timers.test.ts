import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RunTimers } from './run-timers.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('calls in time, and tells what fails', () => {
  const failures: string[] = [];
  const timers = new RunTimers((error) => failures.push(error.message));
  const called: number[] = [];
  timers.schedule(20, () => called.push(20));
  timers.schedule(10, () => {
    throw new Error('a defect');
  });
  vi.advanceTimersByTime(19);
  expect([called, failures]).toEqual([[], ['a defect']]);
  vi.advanceTimersByTime(1);
  expect(called).toEqual([20]);
});

it('does nothing any more once it is closed', () => {
  const timers = new RunTimers(() => undefined);
  const called: number[] = [];
  timers.schedule(10, () => called.push(1));
  timers.close();
  timers.schedule(10, () => called.push(2));
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(100);
  expect(called).toEqual([]);
});

it.each([
  { lateMs: 900, losses: [] },
  {
    lateMs: 4000,
    losses: [
      'RunLostError: the process of the run itself stood still, and did what was due 4000 ms late; run again on a machine that nobody stops',
    ],
  },
])(
  'a run that does what is due $lateMs ms late is lost, if a busy machine does not explain it',
  ({ lateMs, losses }) => {
    const failures: string[] = [];
    const timers = new RunTimers((error) => failures.push(String(error)));
    timers.schedule(10, () => undefined);
    const nowMs = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(nowMs + 10 + lateMs);
    vi.advanceTimersByTime(10);
    expect(failures).toEqual(losses);
  },
);
