import type { HistoryEvent } from '../../history/event.ts';
import type { History } from '../../history/history.ts';
import type { Story, Stretch } from './story.ts';
import type { NumberedViolation } from './window.ts';

/** When a violation was the case: the overlap of what must not overlap, else the time from the first to the last event that proves it, or that of the last. */
export function spanOf(violation: NumberedViolation, history: History, story: Story): Stretch | null {
  const events = violation.events
    .filter((index) => index >= 0 && index < history.length)
    .map((index) => history.at(index));
  const first = events[0];
  const last = events.at(-1);
  if (first === undefined || last === undefined) return null;
  const numbers = new Set(events.map(leaseNumberOf).filter((number) => number !== null));
  switch (violation.property) {
    case 'critical-section':
      return (
        overlapOf(story.sections.filter(({ lease }) => numbers.has(lease))) ?? {
          fromUs: last.timeUs,
          untilUs: last.timeUs,
        }
      );
    case 'mutual-exclusion':
      return (
        overlapOf(story.leases.filter(({ lease }) => numbers.has(lease))) ?? {
          fromUs: last.timeUs,
          untilUs: last.timeUs,
        }
      );
    case 'deadlock-freedom':
    case 'availability':
      return { fromUs: first.timeUs, untilUs: last.timeUs };
    default:
      return { fromUs: last.timeUs, untilUs: last.timeUs };
  }
}

function leaseNumberOf(event: HistoryEvent): number | null {
  if (event.type === 'acquire-granted') return event.operation;
  return 'lease' in event ? event.lease : null;
}

function overlapOf(stretches: readonly Stretch[]): Stretch | null {
  if (stretches.length < 2) return null;
  const fromUs = Math.max(...stretches.map((stretch) => stretch.fromUs));
  const untilUs = Math.min(...stretches.map((stretch) => stretch.untilUs));
  return fromUs < untilUs ? { fromUs, untilUs } : null;
}
