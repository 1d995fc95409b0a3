import type { AcquireFailed, AcquireGranted, AcquireInvoked, AttemptStarted, HistoryEvent } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';
import type { HistoryVisitor } from '../history/history-visitor.ts';
import type { History } from '../history/history.ts';
import type { Scenario } from '../scenario/schema.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { CallBounds, isRefusedTtl } from './call-times.ts';
import type { Misconduct } from './misconduct.ts';
import { type Plan, Plans } from './plans.ts';

/**
 * An acquire tries as often as it was told, and no more, with a value of its own each time, and waits as long between attempts as it was told. It gives up early only at its deadline, and is aborted only by its
 * caller or a Redlock that is closed. `attempts` is broken by an acquire that does otherwise, or never ends; `refusal` by one that asks nodes for a lock that may not live so
 * long, or refuses another.
 */
export function attemptFlaws(scenario: Scenario, history: History): readonly Misconduct[] {
  const log = HistoryLog.of(history);
  const reader = new AcquireReader(log, scenario);
  log.visit(reader);
  return reader.finish();
}

interface OpenAcquire {
  readonly invoked: AcquireInvoked;
  readonly plans: readonly Plan[];
  readonly isRefused: boolean;
  attempts: number;
  /** The place of what the last attempt stores. */
  value: number;
  /** When the last attempt failed: its clean-up was sent. Null while one is under way, or none was. */
  failedUs: number | null;
}

const NO_VALUE = -1;
const ENDED_BY_VOTES = new Set(['contended', 'unreachable', 'expired']);

class AcquireReader implements HistoryVisitor {
  private readonly log: HistoryLog;
  private readonly scenario: Scenario;
  private readonly plans: Plans;
  private readonly bounds: CallBounds;
  private readonly release: number;
  private readonly open = new Map<number, OpenAcquire>();
  /** By the place of the value: the acquire of the attempt that stores it. */
  private readonly acquireOfValue = new Map<number, OpenAcquire>();
  private readonly flaws: Misconduct[] = [];
  private isWorkloadOver = false;

  constructor(log: HistoryLog, scenario: Scenario) {
    this.log = log;
    this.scenario = scenario;
    this.plans = new Plans(scenario);
    this.bounds = new CallBounds(scenario);
    this.release = log.placeOf('release');
  }

  visitSent(
    _index: number,
    timeUs: number,
    _command: number,
    _client: number,
    _node: number,
    kind: number,
    _key: number,
    value: number,
  ): void {
    if (kind !== this.release) return;
    const acquire = this.acquireOfValue.get(value);
    // An attempt before it may send another release, for a grant that turned up late.
    if (acquire?.value === value) acquire.failedUs ??= timeUs;
  }

  visitExecuted(): void {
    // Nothing here depends on what nodes do.
  }

  visitReceived(): void {
    // Nor on what they say.
  }

  visitOther(_index: number, event: HistoryEvent): void {
    switch (event.type) {
      case 'acquire-invoked':
        this.open.set(event.operation, {
          invoked: event,
          plans: this.plans.of(event),
          isRefused: isRefusedTtl(this.scenario, event.ttlMs),
          attempts: 0,
          value: NO_VALUE,
          failedUs: null,
        });
        break;
      case 'attempt-started':
        this.begin(event);
        break;
      case 'acquire-granted':
      case 'acquire-failed':
        this.settle(event);
        break;
      case 'workload-ended':
        this.isWorkloadOver = true;
        break;
      default:
    }
  }

  finish(): readonly Misconduct[] {
    for (const { invoked } of this.open.values()) this.blame(invoked, 'never ended');
    return this.flaws;
  }

  private begin({ operation, value, timeUs }: AttemptStarted): void {
    const acquire = this.open.get(operation);
    if (acquire === undefined) {
      this.add('attempts', `An attempt began at ${formatTimeUs(timeUs)} for acquire ${operation}, which was over.`);
      return;
    }
    const { invoked, plans, failedUs } = acquire;
    const place = this.log.placeOf(value);
    if (this.acquireOfValue.has(place)) {
      this.blame(invoked, `stored a value at ${formatTimeUs(timeUs)} that an attempt before it had stored`);
    }
    this.acquireOfValue.set(place, acquire);
    acquire.value = place;
    acquire.attempts += 1;
    const { attempts } = acquire;
    if (acquire.isRefused)
      this.add('refusal', `${nameOf(invoked)} asked nodes for ${invoked.ttlMs} ms, which may not be had.`);
    if (plans.every((plan) => attempts > plan.attempts)) {
      this.blame(invoked, `began attempt ${attempts} at ${formatTimeUs(timeUs)}, one more than it was told to make`);
    }
    if (attempts > 1 && failedUs !== null && !plans.some((plan) => this.isDue(plan, attempts - 1, timeUs - failedUs))) {
      const waited = formatTimeUs(timeUs - failedUs);
      this.blame(invoked, `waited ${waited} before attempt ${attempts}, which is not what it was told to wait`);
    }
    const elapsedUs = timeUs - invoked.timeUs;
    if (plans.every(({ deadlineMs }) => elapsedUs > this.bounds.latestUs(deadlineMs))) {
      this.blame(invoked, `began attempt ${attempts} at ${formatTimeUs(timeUs)}, after its deadline`);
    }
    acquire.failedUs = null;
  }

  private isDue(plan: Plan, failures: number, waitedUs: number): boolean {
    const { least, most } = plan.delayMs(failures);
    return waitedUs >= this.bounds.earliestUs(least) && waitedUs <= this.bounds.latestUs(most) + this.bounds.pausesUs;
  }

  private settle(event: AcquireGranted | AcquireFailed): void {
    const acquire = this.open.get(event.operation);
    if (acquire === undefined) return;
    this.open.delete(event.operation);
    const { invoked, plans, attempts, failedUs, isRefused } = acquire;
    const { timeUs } = event;
    if (isRefused || (event.type === 'acquire-failed' && event.code === 'invalid-option')) {
      const code = event.type === 'acquire-failed' ? event.code : 'granted';
      if (!isRefused || code !== 'invalid-option' || timeUs !== invoked.timeUs) {
        const asked = `${nameOf(invoked)} for ${invoked.ttlMs} ms`;
        this.add('refusal', `${asked}, which ${isRefused ? 'may not be had' : 'is a time to live'}, ended as ${code}.`);
      }
      return;
    }
    this.checkEnd(acquire, timeUs);
    if (event.type === 'acquire-granted') {
      if (event.attempts !== attempts) this.blame(invoked, `tells of ${event.attempts} attempts, and made ${attempts}`);
      return;
    }
    const elapsedUs = timeUs - invoked.timeUs;
    if (event.code === 'aborted') {
      if (this.isWorkloadOver || this.plans.mayClose(event.client)) return;
      if (plans.some(({ giveUpMs }) => elapsedUs >= this.bounds.earliestUs(giveUpMs))) return;
      this.blame(invoked, `was aborted at ${formatTimeUs(timeUs)}, and nobody had asked for that`);
    } else if (!ENDED_BY_VOTES.has(event.code)) {
      this.blame(invoked, `failed as ${event.code}, for which there was no reason`);
    } else if (!plans.some((plan) => this.mayGiveUp(plan, attempts, timeUs - invoked.timeUs))) {
      this.blame(invoked, `gave up after ${attempts} attempts, which is not what it was told to make`);
    } else if (failedUs === null) {
      this.blame(invoked, 'gave up while an attempt was under way');
    }
  }

  /** An acquire must not outlast its deadline, nor its caller's patience, nor a wait between attempts. */
  private checkEnd({ invoked, plans, attempts, failedUs }: OpenAcquire, timeUs: number): void {
    const { bounds } = this;
    const elapsedUs = timeUs - invoked.timeUs;
    if (
      plans.every((plan) => elapsedUs > bounds.latestUs(Math.min(plan.deadlineMs, plan.giveUpMs)) + bounds.pausesUs)
    ) {
      this.blame(invoked, `ended at ${formatTimeUs(timeUs)}, after its deadline or its caller’s patience`);
    }
    if (failedUs === null) return;
    const waitedUs = timeUs - failedUs;
    if (plans.every((plan) => waitedUs > bounds.latestUs(plan.delayMs(attempts).most) + bounds.pausesUs)) {
      this.blame(invoked, `waited ${formatTimeUs(waitedUs)} for attempt ${attempts + 1}, which never began`);
    }
  }

  private mayGiveUp(plan: Plan, attempts: number, elapsedUs: number): boolean {
    if (attempts === plan.attempts) return true;
    if (attempts > plan.attempts) return false;
    return elapsedUs >= this.bounds.earliestUs(plan.deadlineMs - plan.delayMs(attempts).most);
  }

  private blame(invoked: AcquireInvoked, what: string): void {
    this.add('attempts', `${nameOf(invoked)} ${what}.`);
  }

  private add(rule: Misconduct['rule'], message: string): void {
    this.flaws.push({ rule, message });
  }
}

function nameOf({ operation, client, timeUs }: AcquireInvoked): string {
  return `Acquire ${operation}, which ${client} called at ${formatTimeUs(timeUs)},`;
}
