import type { HistoryLog } from './history-log.ts';
import { Numbering } from './numbering.ts';
import { type Attempts, NONE } from './run-tables.ts';

/** Replies by which a node takes part in the vote. A broken connection does not, nor does a node in quarantine. */
const ANSWERS = ['granted', 'held', 'committed', 'refused'] as const;

/** Follows the commands of attempts that are under way, to learn how many nodes answered each in time. */
export class VoteReader {
  private readonly attempts: Attempts;
  /** By the place of the value. */
  private readonly openAttempts = new Numbering();
  /** Only of commands that are part of a vote and not answered yet. */
  private readonly attemptOfCommand = new Numbering();
  private readonly acquire: number;
  private readonly commit: number;
  private readonly release: number;
  private readonly answers: readonly number[];

  constructor(attempts: Attempts, log: HistoryLog) {
    this.attempts = attempts;
    this.acquire = log.placeOf('acquire');
    this.commit = log.placeOf('commit');
    this.release = log.placeOf('release');
    // A text that never came up has the place -1, which no reply has.
    this.answers = ANSWERS.map((reply) => log.placeOf(reply));
  }

  /** From now on commands with this value belong to the attempt. */
  open(value: number, attempt: number): void {
    if (value !== NONE) this.openAttempts.set(value, attempt);
  }

  /** What is sent with this value from now on, its holder sends. */
  close(value: number): void {
    if (value !== NONE) this.openAttempts.set(value, NONE);
  }

  sent(timeUs: number, command: number, kind: number, value: number): void {
    if (kind === this.acquire) {
      const attempt = this.openAttempts.rowOf(value);
      if (attempt !== NONE) this.attemptOfCommand.set(command, attempt);
    } else if (kind === this.commit) {
      const attempt = this.openAttempts.rowOf(value);
      if (attempt === NONE) return;
      this.attemptOfCommand.set(command, attempt);
      // The node has answered the acquire, but has the last word still to say.
      this.attempts.answers.set(attempt, this.attempts.answers.get(attempt) - 1);
    } else if (kind === this.release) {
      const attempt = this.openAttempts.rowOf(value);
      if (attempt === NONE) return;
      this.attempts.endedUs.lower(attempt, timeUs);
      this.close(value);
    }
  }

  received(timeUs: number, command: number, reply: number): void {
    const attempt = this.attemptOfCommand.rowOf(command);
    if (attempt === NONE) return;
    this.attemptOfCommand.set(command, NONE);
    const { attempts } = this;
    if (timeUs > attempts.endedUs.get(attempt) || timeUs >= attempts.usefulUntilUs.get(attempt)) return;
    if (this.answers.includes(reply)) attempts.answers.set(attempt, attempts.answers.get(attempt) + 1);
  }
}
