import type { HistoryEvent } from './event.ts';
import type { History } from './history.ts';

/** All events of the history, in their order. */
export function* eventsOf(history: History): Generator<HistoryEvent> {
  for (let index = 0; index < history.length; index += 1) yield history.at(index);
}
