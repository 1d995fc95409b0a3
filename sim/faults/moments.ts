import { matches } from '../history/matches.ts';
import type { ObservedLog } from '../history/observed-log.ts';
import type { ObservablePattern } from '../scenario/moment.ts';

/** When something of a scenario starts: `at`, `after`, or with the run if neither is given. */
export interface Moment {
  readonly at?: number | undefined;
  readonly after?:
    (ObservablePattern & { readonly nth?: number | undefined; readonly delay?: number | undefined }) | undefined;
}

/** Runs `run` once, at the moment. `schedule` counts milliseconds of true time. The returned function calls it off, if it is not due yet. */
export function whenMoment(
  moment: Moment,
  log: ObservedLog,
  schedule: (delayMs: number, run: () => void) => void,
  run: () => void,
): () => void {
  let calledOff = false;
  const runUnlessCalledOff = (): void => {
    if (!calledOff) run();
  };
  let stopWatching: (() => void) | null = null;
  const { after } = moment;
  if (after === undefined) {
    schedule(moment.at ?? 0, runUnlessCalledOff);
  } else {
    let missing = after.nth ?? 1;
    stopWatching = log.watch(after.event, (event) => {
      if (!matches(event, after)) return;
      missing -= 1;
      if (missing > 0) return;
      stopWatching?.();
      schedule(after.delay ?? 0, runUnlessCalledOff);
    });
  }
  return () => {
    calledOff = true;
    stopWatching?.();
  };
}
