import type { ExtendFailed, ExtendGranted } from '../history/event.ts';
import type { Scenario } from '../scenario/schema.ts';
import { type CallBounds, isRefusedTtl, shortestTimeoutUs, usefulUs, validityFlaw } from './call-times.ts';
import { describeCall, describeVote, isSurelyOver, isSurelyValid, type LeaseCall } from './lease.ts';
import type { Misconduct } from './misconduct.ts';

interface SettingsFields {
  readonly ttl: number;
  readonly extensionLimit?: number | undefined;
}

/**
 * An extension asks all nodes, unless the lease was given back, is over or may not be extended any more: then it asks none. One that a quorum agrees to in time is granted,
 * and no other; it fails no sooner than it must, with the code that says why. One that ends when the lease is over takes the lease off the nodes. `extension` is broken by one that
 * goes otherwise, `refusal` by a time to live that should have been refused and was not, or the other way round, and `validity` by one that is granted for longer or shorter than it may be.
 */
export class ExtensionJudge {
  private readonly scenario: Scenario;
  private readonly bounds: CallBounds;
  private readonly flaws: Misconduct[];
  /** Infinity for none. */
  private readonly limit: number;

  constructor(scenario: Scenario, bounds: CallBounds, flaws: Misconduct[]) {
    const { extensionLimit = -1 }: SettingsFields = scenario.settings;
    this.scenario = scenario;
    this.bounds = bounds;
    this.flaws = flaws;
    this.limit = extensionLimit < 0 ? Number.POSITIVE_INFINITY : extensionLimit;
  }

  invoked(call: LeaseCall, mayBeClosed: boolean): void {
    call.expectation = this.expectationOf(call, mayBeClosed);
    call.lease.extensionsUnderWay += 1;
  }

  settled(call: LeaseCall, event: ExtendGranted | ExtendFailed): void {
    const { expectation, lease, asked } = call;
    lease.extensionsUnderWay -= 1;
    const outcome = event.type === 'extend-granted' ? 'granted' : event.code;
    if (outcome === 'invalid-option' || expectation === 'invalid-option') {
      if (outcome === expectation && asked === 0) return;
      this.add('refusal', call, `asked for ${call.ttlMs} ms, sent ${asked} commands, and ended as ${outcome}`);
      return;
    }
    if (asked === 0) {
      if (expectation === null || (expectation === outcome && event.timeUs === call.invokedUs)) return;
      const must = expectation === 'asked' ? 'its nodes had to be asked' : `it had to end as ${expectation}`;
      this.add('extension', call, `asked no node and ended as ${outcome}, where ${must}`);
      return;
    }
    if (outcome === 'granted') lease.extensions += 1;
    if (expectation !== null && expectation !== 'asked') {
      this.add('extension', call, `asked nodes, although it had to be refused as ${expectation}`);
    } else if (asked !== lease.placeCount) {
      this.add('extension', call, `sent ${asked} of ${lease.placeCount} commands`);
    } else {
      const why = this.flawOf(call, event, outcome);
      if (why !== null) this.add('extension', call, `ended as ${outcome} ${describeVote(call)}, ${why}`);
    }
    if (event.type !== 'extend-granted') return;
    this.checkValidity(call, event);
    lease.validUntilUs = Math.max(lease.validUntilUs, event.validUntilUs);
  }

  private expectationOf({ lease, ttlMs, invokedUs }: LeaseCall, mayBeClosed: boolean): string | null {
    if (isRefusedTtl(this.scenario, ttlMs)) return 'invalid-option';
    if (mayBeClosed) return null;
    if (lease.isReleased) return 'extension-refused';
    if (isSurelyOver(lease, invokedUs)) return 'expired';
    if (!isSurelyValid(lease, invokedUs)) return null;
    if (lease.extensions >= this.limit) return 'extension-refused';
    // Those that are under way may still be granted or not.
    return lease.extensions + lease.extensionsUnderWay >= this.limit ? null : 'asked';
  }

  /** Why an extension that asked all nodes should have ended otherwise. */
  private flawOf(call: LeaseCall, { timeUs }: ExtendGranted | ExtendFailed, outcome: string): string | null {
    const { lease, tally, invokedUs, ttlMs } = call;
    const tookUs = timeUs - invokedUs;
    if (lease.isReleased) return outcome === 'extension-refused' ? null : 'although the lease had been given back';
    if (isSurelyOver(lease, timeUs)) {
      if (outcome !== 'expired') return 'although the lease was over';
      const isCleared = lease.clearedUs === timeUs && lease.cleared >= lease.placeCount;
      return isCleared ? null : 'and left on the nodes what it may have prolonged there, although the lease was over';
    }
    if (!isSurelyValid(lease, timeUs)) return null;
    if (tally.isCarried) {
      if (outcome === 'granted') return null;
      if (tookUs < usefulUs(this.scenario, ttlMs)) return 'although they are a quorum, in time';
      return outcome === 'expired' ? null : 'although it was only too late';
    }
    if (outcome === 'granted') return 'although they are no quorum';
    if (!tally.isLost && tookUs < shortestTimeoutUs(this.scenario, ttlMs)) {
      return 'although the others could still have made it a quorum, and had time left';
    }
    const code = tally.lacksQuorum() ? 'unreachable' : 'extension-refused';
    return outcome === code ? null : `which makes it ${code}`;
  }

  private checkValidity(call: LeaseCall, { timeUs, validityMs }: ExtendGranted): void {
    const { lease, ttlMs, invokedUs } = call;
    if (!lease.isClockSure) return;
    const beforeMs = this.bounds.mostMs(Math.max(0, lease.validUntilUs - timeUs));
    const extension = { ttlMs, elapsedUs: timeUs - invokedUs, validityMs };
    const flaw = validityFlaw(this.scenario, this.bounds, extension, beforeMs);
    if (flaw !== null) this.add('validity', call, flaw);
  }

  private add(rule: Misconduct['rule'], call: LeaseCall, what: string): void {
    this.flaws.push({ rule, message: `${describeCall(call)} ${what}.` });
  }
}
