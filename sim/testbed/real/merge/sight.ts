/** Something that a node was seen to do. */
export interface Sight<Event> {
  readonly event: Event;
  /** When the run heard of it: then or earlier it happened. */
  timeUs: number;
  /** It cannot have happened before that, nor after this. */
  notBeforeUs: number;
  notAfterUs: number;
}

export function sightOf<Event extends { readonly timeUs: number }>(event: Event): Sight<Event> {
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
export function takeOffLateness(sights: readonly Sight<unknown>[]): void {
  let latestUs = Number.POSITIVE_INFINITY;
  for (const sight of sights.toReversed()) {
    latestUs = Math.min(latestUs, sight.timeUs, sight.notAfterUs);
    sight.timeUs = latestUs;
  }
}

/** Sets the times of what one node was seen to do, given in the order in which it did it. News of it may have come late, but never early. */
export function settleTimes(sights: readonly Sight<unknown>[]): void {
  takeOffLateness(sights);
  let earliestUs = Number.NEGATIVE_INFINITY;
  for (const sight of sights) {
    earliestUs = Math.max(earliestUs, sight.timeUs, sight.notBeforeUs);
    sight.timeUs = earliestUs;
  }
}
