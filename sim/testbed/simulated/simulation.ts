import { EventQueue, type ScheduledEvent } from './event-queue.ts';

/** Events after which a long run lets the process breathe: signals are handled, events saved, progress shown. */
const EVENTS_PER_SLICE = 65_536;

/** The real one, whatever tests put in its place later: a test under fake timers may run a scenario, too. */
const runSoon = setImmediate;

/** Virtual time: it jumps from one event to the next, and nothing happens between two of them. */
export class Simulation {
  /** True time in whole microseconds since the run began. */
  nowUs = 0;
  /** Events that have happened. */
  eventCount = 0;
  private readonly queue = new EventQueue();

  /** Schedules `run(argument)` after `delayUs` microseconds, rounded up; never within this call. */
  schedule<Argument>(delayUs: number, run: (argument: Argument) => void, argument: Argument): ScheduledEvent {
    return this.queue.push(this.nowUs + Math.ceil(Math.max(0, delayUs)), run, argument);
  }

  /** Schedules at a moment that must not be past. */
  scheduleAt<Argument>(timeUs: number, run: (argument: Argument) => void, argument: Argument): ScheduledEvent {
    return this.queue.push(timeUs, run, argument);
  }

  cancel(event: ScheduledEvent): void {
    this.queue.remove(event);
  }

  /**
   * Runs until `isDone` (asked after each event) or until time would pass `untilUs`; then time stands at that event, or at `untilUs`.
   * Resolves to whether `isDone` ended it. `breathe` is called now and then, and may throw to end the run.
   */
  run(untilUs: number, isDone: () => boolean, breathe: () => void): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const slice = (): void => {
        try {
          const outcome = this.runSlice(untilUs, isDone);
          breathe();
          if (outcome === null) runSoon(slice);
          else resolve(outcome);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      // A macrotask, for only there can microtasks be drained.
      runSoon(slice);
    });
  }

  private runSlice(untilUs: number, isDone: () => boolean): boolean | null {
    const { queue } = this;
    for (let count = 0; count < EVENTS_PER_SLICE; count += 1) {
      if (isDone()) return true;
      if (queue.size === 0 || queue.nextTimeUs() > untilUs) {
        if (untilUs !== Number.POSITIVE_INFINITY) this.nowUs = Math.max(this.nowUs, untilUs);
        return false;
      }
      const event = queue.pop() as ScheduledEvent;
      this.nowUs = event.timeUs;
      this.eventCount += 1;
      event.run(event.argument as never);
    }
    return null;
  }
}
