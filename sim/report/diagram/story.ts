import type { HistoryEvent } from '../../history/event.ts';

/** A stretch of time. `untilUs` is Infinity for what is not over when the window ends. */
export interface Stretch {
  readonly fromUs: number;
  untilUs: number;
}

/** A call of acquire that waits for its outcome. */
export interface Wait extends Stretch {
  readonly client: string;
  readonly resource: string;
  readonly isProbe: boolean;
  /** The code of the error; null while it is pending, and when the lock was granted. */
  failure: string | null;
}

/** A lease, as its holder sees it: until its validity is over, or until it calls release. One that came to life again is drawn as another. */
export interface Lease extends Stretch {
  readonly client: string;
  readonly resource: string;
  readonly lease: number;
  readonly token: number | null;
  /** The end of its validity in true time, granted extensions and changes of its holder's clock included. */
  validUntilUs: number;
  /** When that is, or was, over as the holder's clock runs now: a clock that is set back may bring it to life again. */
  dueUs: number;
  readonly extendedUs: number[];
}

/** A stay in the critical section. */
export interface Section extends Stretch {
  readonly client: string;
  readonly resource: string;
  readonly lease: number;
}

/** A lock key on a node. */
export interface Key extends Stretch {
  readonly node: string;
  readonly key: string;
  readonly value: string;
  /** The client whose command stored it. */
  readonly client: string;
  /** `released`, `taken over`, or the cause of its loss; null while it lives. */
  end: string | null;
}

/** A lane on which nothing runs. */
export interface Standstill extends Stretch {
  readonly lane: string;
  readonly kind: 'paused' | 'down';
}

export interface FaultSpan extends Stretch {
  readonly fault: number;
  readonly kind: string;
  readonly targets: readonly string[];
  readonly description: string;
}

/** A command and its reply. What lies outside the window, or never happened, is null. */
export interface Message {
  readonly command: number;
  readonly client: string;
  readonly node: string;
  kind: string | null;
  sentUs: number | null;
  executedUs: number | null;
  receivedUs: number | null;
  reply: string | null;
  changed: boolean;
  lost: { readonly direction: 'request' | 'reply'; readonly timeUs: number; readonly fault: number | null } | null;
  readonly delays: { readonly direction: 'request' | 'reply'; readonly byUs: number; readonly fault: number }[];
}

/** A write to the protected resource. */
export interface Write {
  readonly write: number;
  readonly client: string;
  readonly resource: string;
  readonly lease: number;
  readonly token: number | null;
  sentUs: number | null;
  arrivedUs: number | null;
  accepted: boolean | null;
  lost: Message['lost'];
  delayedByUs: number;
}

export interface ClockChange {
  readonly timeUs: number;
  readonly lane: string;
  readonly text: string;
}

/** An event of the window that is listed below the diagram, or that proves something. */
export interface ListedEvent {
  readonly index: number;
  readonly event: HistoryEvent;
}

/** All that is drawn of a window. Stretches may begin before it. */
export interface Story {
  /** All of the run, in its order, and those that only their events name. */
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  /** Those of both that have an event in the window. */
  readonly active: ReadonlySet<string>;
  readonly waits: readonly Wait[];
  readonly leases: readonly Lease[];
  readonly sections: readonly Section[];
  readonly keys: readonly Key[];
  readonly standstills: readonly Standstill[];
  readonly faults: readonly FaultSpan[];
  readonly messages: readonly Message[];
  readonly writes: readonly Write[];
  readonly clockChanges: readonly ClockChange[];
  readonly listed: readonly ListedEvent[];
  /** All points of time at which something of it happens. */
  readonly momentsUs: readonly number[];
}

/** The points of time at which more happens than messages coming and going, ascending. */
export function mainMomentsUs(story: Story, fromUs: number, untilUs: number): readonly number[] {
  const stretches: readonly (readonly Stretch[])[] = [
    story.waits,
    story.leases,
    story.sections,
    story.standstills,
    story.faults,
  ];
  const moments = [
    ...stretches.flat().flatMap((stretch) => [stretch.fromUs, stretch.untilUs]),
    ...story.leases.flatMap(({ extendedUs }) => extendedUs),
    ...story.writes.flatMap(({ sentUs, arrivedUs }) => [sentUs ?? fromUs, arrivedUs ?? fromUs]),
    ...story.clockChanges.map(({ timeUs }) => timeUs),
    ...story.listed.filter(({ event }) => event.type === 'key-lost').map(({ event }) => event.timeUs),
  ];
  return [...new Set(moments)].filter((us) => us >= fromUs && us <= untilUs).sort((left, right) => left - right);
}

/** What of a story reaches into a shorter stretch of time. Messages are left out. */
export function outlineOf(story: Story, fromUs: number, untilUs: number): Story {
  const reachesIn = (stretch: Stretch): boolean => stretch.untilUs >= fromUs && stretch.fromUs <= untilUs;
  const isIn = (timeUs: number | null): boolean => timeUs !== null && timeUs >= fromUs && timeUs <= untilUs;
  return {
    ...story,
    waits: story.waits.filter(reachesIn),
    leases: story.leases.filter(reachesIn),
    sections: story.sections.filter(reachesIn),
    keys: story.keys.filter(reachesIn),
    standstills: story.standstills.filter(reachesIn),
    faults: story.faults.filter(reachesIn),
    messages: [],
    writes: story.writes.filter(({ sentUs, arrivedUs }) => isIn(sentUs) || isIn(arrivedUs)),
    clockChanges: story.clockChanges.filter(({ timeUs }) => isIn(timeUs)),
    listed: story.listed.filter(({ event }) => isIn(event.timeUs)),
  };
}
