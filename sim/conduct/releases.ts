import type { ReleaseDone, ReleaseFailed } from '../history/event.ts';
import type { Scenario } from '../scenario/schema.ts';
import { shortestTimeoutUs } from './call-times.ts';
import { describeCall, describeVote, isSurelyOver, isSurelyValid, type LeaseCall } from './lease.ts';
import type { Misconduct } from './misconduct.ts';

/**
 * A release asks all nodes to remove the value, unless another one of the same lease is under way or has succeeded. It succeeds if a quorum confirms that the value is not there, or the
 * lease is over anyway, and fails if neither is so when no quorum is left or the time of the nodes is up. Until then its value is let alone. Broken by a release that goes otherwise, and by
 * one that nobody called for.
 */
export class ReleaseJudge {
  private readonly scenario: Scenario;
  private readonly flaws: Misconduct[];

  constructor(scenario: Scenario, flaws: Misconduct[]) {
    this.scenario = scenario;
    this.flaws = flaws;
  }

  invoked(call: LeaseCall): void {
    const { lease } = call;
    lease.isReleased = true;
    call.expectation = lease.isReleaseUnderWay || lease.isGone ? null : 'asked';
    lease.isReleaseUnderWay = true;
  }

  settled(call: LeaseCall, event: ReleaseDone | ReleaseFailed, mayBeClosed: boolean): void {
    const { lease, asked } = call;
    lease.isReleaseUnderWay = false;
    if (event.type === 'release-done') lease.isGone = true;
    if (call.expectation === null) {
      if (asked > 0) this.add(call, 'asked nodes again, although another release was under way or had succeeded');
      return;
    }
    if (asked !== lease.placeCount) {
      this.add(call, `sent ${asked} of ${lease.placeCount} commands`);
      return;
    }
    const why = this.flawOf(call, event, mayBeClosed);
    if (why === null) return;
    const ended = event.type === 'release-done' ? 'succeeded' : `failed as ${event.code}`;
    this.add(call, `${ended} ${describeVote(call)}, ${why}`);
  }

  private flawOf(call: LeaseCall, event: ReleaseDone | ReleaseFailed, mayBeClosed: boolean): string | null {
    const { lease, tally, invokedUs, ttlMs } = call;
    const { timeUs } = event;
    if (!tally.isCarried && !tally.isLost && timeUs - invokedUs < shortestTimeoutUs(this.scenario, ttlMs)) {
      return 'although the others had time left';
    }
    if (event.type === 'release-done') {
      return tally.isCarried || !isSurelyValid(lease, timeUs)
        ? null
        : 'although they are no quorum and the lease was not over';
    }
    if (tally.isCarried) return 'although they are a quorum';
    if (isSurelyOver(lease, timeUs)) return 'although the lease was over';
    const isRightCode = event.code === 'unreachable' || (event.code === 'aborted' && mayBeClosed);
    return isRightCode ? null : 'which makes it unreachable';
  }

  private add(call: LeaseCall, what: string): void {
    this.flaws.push({ rule: 'release', message: `${describeCall(call)} ${what}.` });
  }
}
