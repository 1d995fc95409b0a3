import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue, type ScheduledEvent } from './event-queue.ts';

function ignore(): void {
  // Only the order of events matters here.
}

function popAll(queue: EventQueue): ScheduledEvent[] {
  const events: ScheduledEvent[] = [];
  for (let event = queue.pop(); event !== undefined; event = queue.pop()) events.push(event);
  return events;
}

describe('EventQueue', () => {
  it('gives events by time, and at one time in the order in which they were scheduled', () => {
    const queue = new EventQueue();
    for (const [timeUs, name] of [
      [5, 'a'],
      [3, 'b'],
      [5, 'c'],
      [3, 'd'],
      [0, 'e'],
      [5, 'f'],
    ] as const) {
      queue.push(timeUs, ignore, name);
    }
    expect(popAll(queue).map(({ argument }) => argument)).toEqual(['e', 'b', 'd', 'a', 'c', 'f']);
  });

  it('knows when the next event is due, and that there is none', () => {
    const queue = new EventQueue();
    expect(queue.nextTimeUs()).toBe(Number.POSITIVE_INFINITY);
    expect(queue.pop()).toBeUndefined();
    const event = queue.push(7, ignore, null);
    expect(queue.nextTimeUs()).toBe(7);
    queue.remove(event);
    expect(queue.nextTimeUs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('ignores the cancelling of what has happened or was cancelled, whatever is in its place by now', () => {
    const queue = new EventQueue();
    const happened = queue.push(1, ignore, 'happened');
    const cancelled = queue.push(2, ignore, 'cancelled');
    queue.push(3, ignore, 'third');
    queue.pop();
    queue.remove(cancelled);
    queue.remove(cancelled);
    queue.remove(happened);
    expect(popAll(queue).map(({ argument }) => argument)).toEqual(['third']);
  });

  it('does what a sorted list does, through any pushes, pops and cancels', () => {
    const push = fc.record({ do: fc.constant('push' as const), timeUs: fc.nat({ max: 12 }) });
    const pop = fc.record({ do: fc.constant('pop' as const) });
    const cancel = fc.record({ do: fc.constant('cancel' as const), which: fc.nat() });
    const steps = fc.array(
      fc.oneof({ weight: 4, arbitrary: push }, { weight: 1, arbitrary: pop }, { weight: 2, arbitrary: cancel }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new EventQueue();
        const pushed: ScheduledEvent[] = [];
        let sorted: ScheduledEvent[] = [];
        for (const step of all) {
          if (step.do === 'push') {
            const event = queue.push(step.timeUs, ignore, pushed.length);
            pushed.push(event);
            const place = sorted.findIndex(({ timeUs }) => timeUs > step.timeUs);
            sorted.splice(place < 0 ? sorted.length : place, 0, event);
          } else if (step.do === 'pop') {
            expect(queue.pop()).toBe(sorted.shift());
          } else if (pushed.length > 0) {
            const event = pushed[step.which % pushed.length] as ScheduledEvent;
            queue.remove(event);
            sorted = sorted.filter((other) => other !== event);
          }
          expect(queue.size).toBe(sorted.length);
          expect(queue.nextTimeUs()).toBe(sorted[0]?.timeUs ?? Number.POSITIVE_INFINITY);
        }
        expect(popAll(queue)).toEqual(sorted);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
