/** Something that a node was seen to do. */
export interface Observation<Event> {
  readonly event: Event;
  /** When the run heard of it: then or earlier it happened. */
  timeUs: number;
  /** It cannot have happened before that, nor after this. */
  notBeforeUs: number;
  notAfterUs: number;
}

export function observationOf<Event extends { readonly timeUs: number }>(event: Event): Observation<Event> {
  return {
    event,
    timeUs: event.timeUs,
    notBeforeUs: Number.NEGATIVE_INFINITY,
    notAfterUs: Number.POSITIVE_INFINITY,
  };
}

/**
 * Takes from the times of what one node was seen to do, given in the order in which it did it, what is surely lateness: what came before
 * something that was over by then had happened before that too.
 */
export function takeOffLateness(observations: readonly Observation<unknown>[]): void {
  let latestUs = Number.POSITIVE_INFINITY;
  for (const observation of observations.toReversed()) {
    latestUs = Math.min(latestUs, observation.timeUs, observation.notAfterUs);
    observation.timeUs = latestUs;
  }
}

/** Sets the times of what one node was seen to do, given in the order in which it did it. News of it may have come late, but never early. */
export function settleTimes(observations: readonly Observation<unknown>[]): void {
  takeOffLateness(observations);
  let earliestUs = Number.NEGATIVE_INFINITY;
  for (const observation of observations) {
    earliestUs = Math.max(earliestUs, observation.timeUs, observation.notBeforeUs);
    observation.timeUs = earliestUs;
  }
}
