import type { History } from '../history/history.ts';

/** The properties of a run, in the order in which they are reported. */
export const PROPERTIES = [
  'mutual-exclusion',
  'critical-section',
  'resource-integrity',
  'token-order',
  'release-safety',
  'deadlock-freedom',
  'availability',
] as const;

export type Property = (typeof PROPERTIES)[number];

export interface Violation {
  /** One sentence for people: who, what, when. */
  readonly message: string;
  /** Indexes into the history of the events that prove it, ascending. */
  readonly events: readonly number[];
}

/** `unknown` is never green: the history does not let the property be judged, and `reason` says why. */
export type PropertyVerdict =
  | { readonly property: Property; readonly status: 'ok' }
  /** The first violations found, at most MOST_VIOLATIONS; `count` is how many there are in all. */
  | {
      readonly property: Property;
      readonly status: 'violated';
      readonly count: number;
      readonly violations: readonly Violation[];
    }
  | { readonly property: Property; readonly status: 'unknown'; readonly reason: string };

/** A verdict names at most this many violations of a property, and counts the rest. */
export const MOST_VIOLATIONS = 20;

/** Judges one property by a history and nothing else. */
export type Checker = (history: History) => PropertyVerdict;
