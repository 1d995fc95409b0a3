/** Something that will happen in virtual time: `run(argument)` at `timeUs`. */
export interface ScheduledEvent {
  readonly timeUs: number;
  /** Breaks ties: of two events at one time, the one scheduled first happens first. */
  readonly sequence: number;
  readonly run: (argument: never) => void;
  readonly argument: unknown;
  /** Its place in the heap; -1 once it is out. */
  place: number;
}

function isBefore(one: ScheduledEvent, other: ScheduledEvent): boolean {
  return one.timeUs < other.timeUs || (one.timeUs === other.timeUs && one.sequence < other.sequence);
}

/**
 * What is still to happen, as a binary heap by time and sequence. Events know their place, so that cancelling takes one
 * out at once: nearly every timer of a lock is cancelled, and a heap full of the dead would be slow.
 * Functions and their arguments are kept apart so that scheduling a message makes no closure.
 */
export class EventQueue {
  private readonly heap: ScheduledEvent[] = [];
  private sequence = 0;

  get size(): number {
    return this.heap.length;
  }

  /** The time of the next event; Infinity when there is none. */
  nextTimeUs(): number {
    const first = this.heap[0];
    return first === undefined ? Number.POSITIVE_INFINITY : first.timeUs;
  }

  push<Argument>(timeUs: number, run: (argument: Argument) => void, argument: Argument): ScheduledEvent {
    const event: ScheduledEvent = { timeUs, sequence: this.sequence, run, argument, place: this.heap.length };
    this.sequence += 1;
    this.heap.push(event);
    this.siftUp(event, event.place);
    return event;
  }

  pop(): ScheduledEvent | undefined {
    const first = this.heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes the event out; does nothing if it happened or was taken out already. */
  remove(event: ScheduledEvent): void {
    const { heap } = this;
    const { place } = event;
    if (place < 0) return;
    event.place = -1;
    const last = heap.pop() as ScheduledEvent;
    if (last === event) return;
    // The last event fills the gap, and moves to where it belongs from there.
    if (place > 0 && isBefore(last, heap[(place - 1) >> 1] as ScheduledEvent)) this.siftUp(last, place);
    else this.siftDown(last, place);
  }

  private siftUp(event: ScheduledEvent, from: number): void {
    const { heap } = this;
    let place = from;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = heap[parentPlace] as ScheduledEvent;
      if (!isBefore(event, parent)) break;
      heap[place] = parent;
      parent.place = place;
      place = parentPlace;
    }
    heap[place] = event;
    event.place = place;
  }

  private siftDown(event: ScheduledEvent, from: number): void {
    const { heap } = this;
    const { length } = heap;
    let place = from;
    for (;;) {
      let childPlace = 2 * place + 1;
      if (childPlace >= length) break;
      let child = heap[childPlace] as ScheduledEvent;
      if (childPlace + 1 < length) {
        const right = heap[childPlace + 1] as ScheduledEvent;
        if (isBefore(right, child)) {
          child = right;
          childPlace += 1;
        }
      }
      if (!isBefore(child, event)) break;
      heap[place] = child;
      child.place = place;
      place = childPlace;
    }
    heap[place] = event;
    event.place = place;
  }
}
