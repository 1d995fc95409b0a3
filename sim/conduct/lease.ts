import { formatTimeUs } from '../text/duration-text.ts';
import type { Tally } from './tally.ts';

/** Ends of validities are told in whole microseconds of true time. */
const ROUNDING_US = 3;

/** A lock that was granted, as its client knows it. */
export interface Lease {
  /** That of its acquire. */
  readonly operation: number;
  readonly client: string;
  readonly ttlMs: number;
  readonly resourceCount: number;
  /** Commands that go to all nodes, for all resources. */
  readonly placeCount: number;
  /** Whether its client tells time by a clock that nobody sets. */
  readonly isClockSure: boolean;
  /** By its client's clock as it runs now, in true time. */
  validUntilUs: number;
  /** Whether release was called. */
  isReleased: boolean;
  isReleaseUnderWay: boolean;
  /** Whether a release succeeded. */
  isGone: boolean;
  /** How many extensions were granted. */
  extensions: number;
  extensionsUnderWay: number;
  readonly newest: Record<LeaseCall['kind'], LeaseCall | null>;
  /** When releases were last sent that nobody had called for, and how many at once. */
  clearedUs: number;
  cleared: number;
}

/** An extension or a release, and the vote on it. */
export interface LeaseCall {
  readonly kind: 'extend' | 'release';
  readonly operation: number;
  readonly lease: Lease;
  /** What an extension asks for; for a release, that of the acquire. */
  readonly ttlMs: number;
  readonly invokedUs: number;
  readonly tally: Tally;
  /** The code with which it must be refused before a node is asked, `asked` where it must not be, null where one cannot say. */
  expectation: string | null;
  /** Commands that were sent. */
  asked: number;
  isOver: boolean;
}

export function isSurelyValid({ isClockSure, validUntilUs }: Lease, timeUs: number): boolean {
  return isClockSure && timeUs < validUntilUs - ROUNDING_US;
}

export function isSurelyOver({ isClockSure, validUntilUs }: Lease, timeUs: number): boolean {
  return isClockSure && timeUs > validUntilUs + ROUNDING_US;
}

export function describeCall({ kind, operation, lease, invokedUs }: LeaseCall): string {
  const what = kind === 'extend' ? 'Extension' : 'Release';
  return `${what} ${operation}, which ${lease.client} called for lease ${lease.operation} at ${formatTimeUs(invokedUs)},`;
}

/** How the vote on a call stood when it ended. */
export function describeVote({ tally }: LeaseCall): string {
  return `with ${tally.forCount} nodes for it and ${tally.againstCount} against it`;
}
