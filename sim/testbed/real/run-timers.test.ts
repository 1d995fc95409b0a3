import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RunTimers } from './run-timers.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
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
