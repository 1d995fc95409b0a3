import type { Environment } from './environment.ts';
import type { IoredisConnection } from './ioredis-connection.ts';
import type { LockCommand } from './lock-node.ts';
import { WithheldValues } from './withheld-values.ts';

/** A server that was sent commands and said nothing for so long, and for some node timeouts, gets no more until it speaks. */
const SILENCE_MS = 2000;
const SILENCE_TIMEOUTS = 4;
/** So many commands wait at most for a server that is silent: nothing else bounds them if it hangs for good. */
const LONGEST_BACKLOG = 10_000;

/** Keeps commands from piling up before a server that is silent. */
export class Backlog {
  private readonly link: IoredisConnection;
  private readonly environment: Environment;
  /** What the server was not sent because it was silent. */
  private readonly withheld = new WithheldValues();

  constructor(link: IoredisConnection, environment: Environment) {
    this.link = link;
    this.environment = environment;
  }

  /**
   * Whether the command would only wait with others for a server that is silent, and must not be sent. What keeps or gives back a lock that is held is
   * not refused for that: the server may have the lock, or its acquire in the buffers, and then needs the release behind it; unless
   * the acquire was refused itself.
   *
   * @param gatheredCount how many commands were accepted and not sent yet
   */
  refuses(command: LockCommand, gatheredCount: number): boolean {
    const { kind, timeoutMs } = command;
    if (!this.link.isSilent(this.environment, Math.max(SILENCE_MS, timeoutMs * SILENCE_TIMEOUTS))) {
      this.withheld.forgetAll();
      return false;
    }
    if (kind === 'acquire') this.withheld.note(command);
    if ((kind !== 'release' && kind !== 'extend') || this.withheld.cover(command)) return true;
    return this.link.unanswered + gatheredCount >= LONGEST_BACKLOG;
  }
}
