import type { HistoryLog } from '../history-log.ts';
import { Numbering } from './numbering.ts';
import { type Attempts, NONE } from './run-tables.ts';

/** Follows the commands of attempts that are under way, to learn how many nodes answered each in time. */
export class VoteReader {
  private readonly attempts: Attempts;
  private readonly log: HistoryLog;
  /** By the place of the value. */
  private readonly openAttempts = new Numbering();
  /** Only of commands that are part of a vote and not answered yet. */
  private readonly attemptOfCommand = new Numbering();
  /** Of open attempts on several resources, how many commands of the vote each node has still to answer, by its place. */
  private readonly awaited = new Map<number, Map<number, number>>();
  /** The newest attempt while it has not sent anything: only then is it known which place its value has. */
  private newest = NONE;
  private newestValue = '';
  private readonly acquire: number;
  private readonly commit: number;
  private readonly release: number;
  /** Replies by which a node takes part in the vote. A broken connection does not, nor does a node in quarantine. */
  private readonly granted: number;
  private readonly held: number;
  private readonly committed: number;
  private readonly refused: number;

  constructor(attempts: Attempts, log: HistoryLog) {
    this.attempts = attempts;
    this.log = log;
    // A text that never came up has the place -1, which no kind and no reply has.
    this.acquire = log.placeOf('acquire');
    this.commit = log.placeOf('commit');
    this.release = log.placeOf('release');
    this.granted = log.placeOf('granted');
    this.held = log.placeOf('held');
    this.committed = log.placeOf('committed');
    this.refused = log.placeOf('refused');
  }

  /** From now on commands with this value belong to the attempt, which sends each node one for each of so many resources. */
  open(value: string, attempt: number, resourceCount: number): void {
    // Without a single such command there is nothing to follow.
    if (this.acquire === NONE) return;
    if (resourceCount > 1) this.awaited.set(attempt, new Map());
    if (this.newest !== NONE) {
      const place = this.log.placeOf(this.newestValue);
      if (place !== NONE) this.openAttempts.set(place, this.newest);
    }
    this.newest = attempt;
    this.newestValue = value;
  }

  sent(timeUs: number, command: number, node: number, kind: number, value: number): void {
    if (kind === this.acquire) {
      if (this.newest !== NONE) this.meetNewest(value);
      const attempt = this.openAttempts.rowOf(value);
      if (attempt === NONE) return;
      this.attemptOfCommand.set(command, attempt);
      this.await(attempt, node);
    } else if (kind === this.commit) {
      const attempt = this.openAttempts.rowOf(value);
      if (attempt === NONE) return;
      this.attemptOfCommand.set(command, attempt);
      // The node has answered the acquire, but has the last word still to say.
      if (this.await(attempt, node) === 1) this.attempts.answers.set(attempt, this.attempts.answers.get(attempt) - 1);
    } else if (kind === this.release) {
      const attempt = this.openAttempts.rowOf(value);
      if (attempt === NONE) return;
      this.attempts.endedUs.lower(attempt, timeUs);
      this.openAttempts.set(value, NONE);
      this.awaited.delete(attempt);
    }
  }

  received(timeUs: number, command: number, node: number, reply: number): void {
    const attempt = this.attemptOfCommand.rowOf(command);
    if (attempt === NONE) return;
    this.attemptOfCommand.set(command, NONE);
    const { attempts } = this;
    if (!this.isAnswer(reply)) return;
    if (timeUs >= attempts.endedUs.get(attempt) || timeUs >= attempts.usefulUntilUs.get(attempt)) return;
    if (this.completes(attempt, node)) attempts.answers.set(attempt, attempts.answers.get(attempt) + 1);
  }

  /** A command is on its way to the node; returns how many are now. */
  private await(attempt: number, node: number): number {
    const awaited = this.awaited.get(attempt);
    if (awaited === undefined) return 1;
    const count = (awaited.get(node) ?? 0) + 1;
    awaited.set(node, count);
    return count;
  }

  /** Whether the node has now answered all that it was sent. */
  private completes(attempt: number, node: number): boolean {
    const awaited = this.awaited.get(attempt);
    if (awaited === undefined) return true;
    const count = (awaited.get(node) ?? 1) - 1;
    awaited.set(node, count);
    return count === 0;
  }

  private meetNewest(value: number): void {
    // Comparing texts is much faster than finding the place of one among all.
    if (this.log.textOf(value) !== this.newestValue) return;
    this.openAttempts.set(value, this.newest);
    this.newest = NONE;
  }

  private isAnswer(reply: number): boolean {
    return reply === this.granted || reply === this.held || reply === this.committed || reply === this.refused;
  }
}
