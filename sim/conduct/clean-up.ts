import type { HistoryEvent } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';
import type { HistoryVisitor } from '../history/history-visitor.ts';
import type { History } from '../history/history.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Misconduct } from './misconduct.ts';
import { formatTimeUs } from '../text/duration-text.ts';

/**
 * A value that nobody relies on any more, that of a failed attempt or of a lease that was given back, is removed: a release goes to every node
 * that was asked to store it, and another one to a node whose grant turns up after it had answered that it held nothing. Broken by a node that
 * gets none. What is lost on the way is not the library's fault, and dies with its time to live.
 */
export function cleanUpFlaws(_scenario: Scenario, history: History): readonly Misconduct[] {
  const log = HistoryLog.of(history);
  const reader = new CleanUpReader(log);
  log.visit(reader);
  const message = reader.flaw();
  return message === null ? [] : [{ rule: 'clean-up', message }];
}

const NEVER = -1;

/** What one node was asked to do with one value under one key, and what its client knows of that. All by index in the history. */
interface Stay {
  readonly node: number;
  readonly client: number;
  readonly askedUs: number;
  /** The node stored the value. */
  storedIndex: number;
  /** The client learnt that it did. */
  grantIndex: number;
  /** The first and the last release that was sent, the last that the node ran, and the first answer to one. */
  firstReleaseIndex: number;
  lastReleaseIndex: number;
  releaseRunIndex: number;
  answerIndex: number;
  unanswered: number;
}

interface Value {
  /** By node and key, as `stayPlace` says. */
  readonly stays: Map<number, Stay>;
  /** Whether a lease stands on it that was not given back. */
  isReliedOn: boolean;
}

class CleanUpReader implements HistoryVisitor {
  private readonly log: HistoryLog;
  private readonly acquire: number;
  private readonly release: number;
  private readonly granted: number;
  private readonly values = new Map<number, Value>();
  private readonly valueOfLease = new Map<number, string>();
  /** Commands on their way, by number. */
  private readonly asked = new Map<number, Stay>();
  private readonly releasing = new Map<number, Stay>();

  constructor(log: HistoryLog) {
    this.log = log;
    this.acquire = log.placeOf('acquire');
    this.release = log.placeOf('release');
    this.granted = log.placeOf('granted');
  }

  visitSent(
    index: number,
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    key: number,
    value: number,
  ): void {
    if (kind === this.acquire) {
      const stay: Stay = {
        node,
        client,
        askedUs: timeUs,
        storedIndex: NEVER,
        grantIndex: NEVER,
        firstReleaseIndex: NEVER,
        lastReleaseIndex: NEVER,
        releaseRunIndex: NEVER,
        answerIndex: NEVER,
        unanswered: 0,
      };
      this.valueAt(value).stays.set(stayPlace(node, key), stay);
      this.asked.set(command, stay);
    } else if (kind === this.release) {
      const stay = this.values.get(value)?.stays.get(stayPlace(node, key));
      if (stay === undefined) return;
      if (stay.firstReleaseIndex === NEVER) stay.firstReleaseIndex = index;
      stay.lastReleaseIndex = index;
      stay.unanswered += 1;
      this.releasing.set(command, stay);
    }
  }

  visitExecuted(
    index: number,
    _timeUs: number,
    command: number,
    _client: number,
    _node: number,
    kind: number,
    reply: number,
  ): void {
    if (kind === this.acquire) {
      const stay = this.asked.get(command);
      if (stay !== undefined && reply === this.granted) stay.storedIndex = index;
    } else if (kind === this.release) {
      const stay = this.releasing.get(command);
      if (stay !== undefined) stay.releaseRunIndex = index;
    }
  }

  visitReceived(index: number, _timeUs: number, command: number, _client: number, _node: number, reply: number): void {
    const asked = this.asked.get(command);
    if (asked !== undefined && reply === this.granted) asked.grantIndex = index;
    const releasing = this.releasing.get(command);
    if (releasing === undefined) return;
    releasing.unanswered -= 1;
    if (releasing.answerIndex === NEVER) releasing.answerIndex = index;
  }

  visitOther(_index: number, event: HistoryEvent): void {
    switch (event.type) {
      case 'acquire-granted':
        this.valueOfLease.set(event.operation, event.value);
        this.setReliedOn(event.value, true);
        break;
      case 'release-invoked': {
        const value = this.valueOfLease.get(event.lease);
        if (value !== undefined) this.setReliedOn(value, false);
        break;
      }
      default:
    }
  }

  flaw(): string | null {
    for (const { stays, isReliedOn } of this.values.values()) {
      if (isReliedOn) continue;
      for (const stay of stays.values()) {
        if (stay.lastReleaseIndex === NEVER) return this.describe(stay, 'was never told to remove it again');
        if (isLeftBehind(stay)) {
          return this.describe(
            stay,
            'granted it after it had been told to remove it, and was not told again when its client learnt of that',
          );
        }
      }
    }
    return null;
  }

  private setReliedOn(value: string, isReliedOn: boolean): void {
    this.valueAt(this.log.placeOf(value)).isReliedOn = isReliedOn;
  }

  private valueAt(place: number): Value {
    const known = this.values.get(place);
    if (known !== undefined) return known;
    const value: Value = { stays: new Map(), isReliedOn: false };
    this.values.set(place, value);
    return value;
  }

  private describe({ node, client, askedUs }: Stay, what: string): string {
    const { log } = this;
    return (
      `The value that ${log.textOf(client)} asked ${log.textOf(node)} to store at ${formatTimeUs(askedUs)} is nobody’s any more, ` +
      `and the node ${what}.`
    );
  }
}

/** One number for both, which are places of names, and far fewer than this. */
function stayPlace(node: number, key: number): number {
  return node * 2 ** 26 + key;
}

/** Whether the client learnt that its releases had come too soon, and let it be. */
function isLeftBehind(stay: Stay): boolean {
  const { storedIndex, grantIndex, firstReleaseIndex, lastReleaseIndex, releaseRunIndex, answerIndex, unanswered } =
    stay;
  const isLate = grantIndex > firstReleaseIndex;
  if (!isLate || unanswered > 0 || releaseRunIndex > storedIndex) return false;
  return lastReleaseIndex < Math.max(grantIndex, answerIndex);
}
