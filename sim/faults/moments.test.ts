import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import { ObservedLog } from '../history/observed-log.ts';
import { type Moment, whenMoment } from './moments.ts';

function paused(client: string): HistoryEvent {
  return { type: 'client-paused', timeUs: 0, client };
}

/** Waits for the moment in a log; schedules are noted, and run when the test says so. */
function waitFor(moment: Moment): {
  log: ObservedLog;
  delaysMs: number[];
  runs: () => number;
  runScheduled: () => void;
  callOff: () => void;
} {
  const log = new ObservedLog();
  const delaysMs: number[] = [];
  const scheduled: (() => void)[] = [];
  let runs = 0;
  const callOff = whenMoment(
    moment,
    log,
    (delayMs, run) => {
      delaysMs.push(delayMs);
      scheduled.push(run);
    },
    () => (runs += 1),
  );
  return {
    log,
    delaysMs,
    runs: () => runs,
    runScheduled: () => {
      for (const run of scheduled.splice(0)) run();
    },
    callOff,
  };
}

describe('whenMoment', () => {
  it.each([
    [{}, 0],
    [{ at: 250 }, 250],
  ])('%j is so long after the run begins', (moment, delayMs) => {
    const { delaysMs, runs, runScheduled } = waitFor(moment);
    expect([delaysMs, runs()]).toEqual([[delayMs], 0]);
    runScheduled();
    expect(runs()).toBe(1);
  });

  it('waits for the first event that matches, and never for a second', () => {
    const { log, delaysMs, runs, runScheduled } = waitFor({ after: { event: 'client-paused', client: 'B' } });
    log.record(paused('A'));
    expect(delaysMs).toEqual([]);
    log.record(paused('B'));
    // It is scheduled, even without a delay: who records an event is not interrupted.
    expect([delaysMs, runs()]).toEqual([[0], 0]);
    log.record(paused('B'));
    runScheduled();
    expect([delaysMs, runs()]).toEqual([[0], 1]);
  });

  it('waits for the nth event, and then for the delay', () => {
    const { log, delaysMs } = waitFor({ after: { event: 'client-paused', nth: 3, delay: 20 } });
    log.record(paused('A'));
    log.record(paused('A'));
    expect(delaysMs).toEqual([]);
    log.record(paused('B'));
    expect(delaysMs).toEqual([20]);
  });

  it('can be called off before its event, and after it before it is due', () => {
    const early = waitFor({ after: { event: 'client-paused' } });
    early.callOff();
    early.log.record(paused('A'));
    expect(early.delaysMs).toEqual([]);
    for (const moment of [{ at: 5 }, { after: { event: 'client-paused', delay: 5 } }] as const) {
      const late = waitFor(moment);
      late.log.record(paused('A'));
      expect(late.delaysMs).toEqual([5]);
      late.callOff();
      late.callOff();
      late.runScheduled();
      expect(late.runs()).toBe(0);
    }
  });
});
