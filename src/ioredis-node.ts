import type { Environment } from './environment.ts';
import { fencingCounterKey } from './fencing-counter-key.ts';
import type { IoredisClient, SendCommand } from './ioredis-client.ts';
import { connectionOf, type IoredisConnection } from './ioredis-connection.ts';
import {
  ABSENT,
  ADMITTED,
  type AcquireCommand,
  COMMITTED,
  EXTENDED,
  GRANTED_WITHOUT_TOKEN,
  HELD,
  type LockCommand,
  type LockNode,
  type LockReply,
  QUARANTINED,
  REFUSED,
  RELEASED,
} from './lock-node.ts';
import { lacksScript, nodeError, tellsOfLoss } from './reply-error.ts';
import type { RestartGuard } from './restart-guard.ts';
import {
  ACQUIRE_GUARDED,
  ACQUIRE_GUARDED_WITH_TOKEN,
  ACQUIRE_WITH_TOKEN,
  ADMIT,
  COMMIT,
  EXTEND,
  INSPECT,
  RELEASE,
  type Script,
} from './scripts.ts';

/** A server that was sent commands and said nothing for so long, and for some node timeouts, gets no more until it speaks. */
const SILENCE_MS = 2000;
const SILENCE_TIMEOUTS = 4;
/** So many commands wait at most for a server that is silent: nothing else bounds them if it hangs for good. */
const LONGEST_BACKLOG = 10_000;

const SENT_AGAIN = 'the connection was lost, and the command sent again to a server that may have restarted';

type Settle = (reply: LockReply) => void;
type Arguments = (string | number)[];
/** Reads what the server answered; null for an answer that the command cannot have. */
type Interpret = (answer: unknown) => LockReply | null;

/** A command on its way, and the moment by the monotonic clock at which its caller gives up. */
interface Errand {
  readonly deadlineMs: number;
  readonly settle: Settle;
}

export interface IoredisNodeOptions {
  /** Whether distrilock opened the client, and so closes it by `Redlock.close` too. */
  readonly owned: boolean;
  /** Whether commands will need to know the server's run. */
  readonly isGuarded: boolean;
  readonly environment: Environment;
}

/** One Redis master behind an ioredis client. */
export class IoredisNode implements LockNode {
  readonly id: string;
  readonly connection: { readonly owned: boolean; quit(): Promise<void> };
  private readonly client: IoredisClient;
  private readonly link: IoredisConnection;
  private readonly environment: Environment;
  private readonly set: SendCommand;
  private readonly evaluate: SendCommand;
  private readonly evaluateKnown: SendCommand;
  private hasQuit = false;

  constructor(id: string, client: IoredisClient, { owned, isGuarded, environment }: IoredisNodeOptions) {
    this.id = id;
    this.client = client;
    this.link = connectionOf(client);
    this.environment = environment;
    this.set = client.createBuiltinCommand('set').string;
    this.evaluate = client.createBuiltinCommand('eval').string;
    this.evaluateKnown = client.createBuiltinCommand('evalsha').string;
    if (isGuarded) this.link.watchRun();
    this.connection = {
      owned,
      quit: () => {
        this.hasQuit = true;
        return this.link.quit(environment.timers);
      },
    };
  }

  execute(command: LockCommand, settle: Settle): void {
    if (this.hasQuit) {
      this.failLater(settle, 'the connection was closed by quit() or close()');
      return;
    }
    const errand: Errand = { deadlineMs: this.environment.clock.now() + command.timeoutMs, settle };
    if (this.link.isReady()) {
      if (this.wouldPileUp(command)) this.failLater(settle, 'the server has not answered anything for a while');
      else this.send(command, errand);
      return;
    }
    this.link.whenReady({
      isLate: () => this.isLate(errand),
      send: () => this.send(command, errand),
      drop: (reason) => this.failLater(settle, reason),
    });
  }

  /**
   * Whether the command would only wait with others for a server that is silent. What keeps or gives back a lock that is held is
   * not refused for that: the server may have the lock, or its acquire in the buffers, and then needs the release behind it.
   */
  private wouldPileUp({ kind, timeoutMs }: LockCommand): boolean {
    if (!this.link.isSilent(this.environment, Math.max(SILENCE_MS, timeoutMs * SILENCE_TIMEOUTS))) return false;
    return (kind !== 'release' && kind !== 'extend') || this.link.unanswered >= LONGEST_BACKLOG;
  }

  private send(command: LockCommand, errand: Errand): void {
    switch (command.kind) {
      case 'acquire':
        if (command.guard !== null) this.acquireGuarded(command, command.guard, errand);
        else if (command.tokenHint === null) this.acquire(command, errand);
        else {
          const args = [command.value, command.ttlMs, command.tokenHint];
          this.run(ACQUIRE_WITH_TOKEN, this.keysOf(command), args, errand, grantedOrHeld);
        }
        return;
      case 'commit':
        this.run(COMMIT, this.keysOf(command), [command.value, command.token], errand, committedOrRefused);
        return;
      case 'extend':
        this.run(EXTEND, [command.key], [command.value, command.ttlMs], errand, extendedOrAbsent);
        return;
      case 'release':
        this.run(RELEASE, [command.key], [command.value], errand, releasedOrAbsent);
        return;
      case 'inspect':
        this.run(INSPECT, [command.key], [], errand, inspected);
        return;
      case 'admit':
        this.runForRun(errand, (runId, sameRun) =>
          this.run(ADMIT, [command.key, command.quarantineKey], [runId], errand, admitted, sameRun),
        );
        return;
    }
  }

  /** Without a token no script is needed, unless the answer may be that to a command that had run before. */
  private acquire(command: AcquireCommand, errand: Errand): void {
    const { key, value, ttlMs, fresh } = command;
    const { epoch } = this.link;
    this.call(this.set, [key, value, 'PX', ttlMs, 'NX'], errand, (answer) => {
      if (answer === 'OK') errand.settle(GRANTED_WITHOUT_TOKEN);
      else if (answer !== null) errand.settle(this.unexpected(answer));
      // A cluster client sends again by itself, and any client may after it lost its connection: then the key may be our own.
      else if (fresh && !this.client.isCluster && epoch === this.link.epoch) errand.settle(HELD);
      else if (this.link.isReady()) this.run(EXTEND, [key], [value, ttlMs], errand, grantedIfExtended);
      else errand.settle(this.failed(new Error('nobody can tell whose key a SET met that may have been sent twice')));
    });
  }

  private acquireGuarded(command: AcquireCommand, guard: RestartGuard, errand: Errand): void {
    const { value, ttlMs, tokenHint } = command;
    const guardKeys = [guard.markerKey, guard.quarantineKey];
    this.runForRun(errand, (runId, sameRun) => {
      const guardArgs = [runId, guard.quarantineMs];
      if (tokenHint === null) {
        const args = [value, ttlMs, ...guardArgs];
        this.run(ACQUIRE_GUARDED, [command.key, ...guardKeys], args, errand, guardedAnswer, sameRun);
      } else {
        const keys = [...this.keysOf(command), ...guardKeys];
        const args = [value, ttlMs, tokenHint, ...guardArgs];
        this.run(ACQUIRE_GUARDED_WITH_TOKEN, keys, args, errand, guardedAnswerWithToken, sameRun);
      }
    });
  }

  /**
   * Sends what must name the server's run. A client that sends again by itself may do so to a server that has restarted since: what that
   * answers to the old run_id says nothing, which `sameRun` tells.
   */
  private runForRun(errand: Errand, send: (runId: string, sameRun: () => boolean) => void): void {
    const { link } = this;
    const { runId, epoch } = link;
    if (typeof runId === 'string') {
      send(runId, () => epoch === link.epoch);
      return;
    }
    const error = nodeError(this.id, runId);
    queueMicrotask(() => errand.settle({ kind: 'failed', error, sent: false }));
  }

  private keysOf({ key }: { readonly key: string }): string[] {
    return [key, fencingCounterKey(key, this.client.options.keyPrefix)];
  }

  private run(
    script: Script,
    keys: readonly string[],
    args: Arguments,
    errand: Errand,
    interpret: Interpret,
    isMeant: () => boolean = () => true,
  ): void {
    const rest = [keys.length, ...keys, ...args];
    const receive = (answer: unknown): void => {
      errand.settle(isMeant() ? (interpret(answer) ?? this.unexpected(answer)) : this.failed(new Error(SENT_AGAIN)));
    };
    if (this.link.mustSendWhole(script)) {
      this.call(this.evaluate, [script.lua, ...rest], errand, receive);
      return;
    }
    this.call(this.evaluateKnown, [script.sha1, ...rest], errand, receive, () => {
      // Its scripts were flushed, or it is another server of a cluster.
      if (this.isLate(errand) || !this.link.isReady() || !isMeant())
        errand.settle(this.notSent('the server did not know the script'));
      else this.call(this.evaluate, [script.lua, ...rest], errand, receive);
    });
  }

  private call(
    send: SendCommand,
    args: Arguments,
    { settle }: Errand,
    receive: (answer: unknown) => void,
    onUnknownScript?: () => void,
  ): void {
    const { link } = this;
    const { clock } = this.environment;
    const { epoch } = link;
    link.noteSent(clock.now());
    send.apply(this.client, args).then(
      (answer) => {
        link.noteAnswer(clock.now(), epoch);
        receive(answer);
      },
      (reason: unknown) => {
        link.noteAnswer(clock.now(), epoch);
        // ioredis rejects with errors only.
        const error = reason as Error;
        if (onUnknownScript !== undefined && lacksScript(error)) onUnknownScript();
        else settle(this.failed(error));
      },
    );
  }

  private failed(error: Error): LockReply {
    if (!tellsOfLoss(error)) return { kind: 'failed', error: nodeError(this.id, error), sent: true };
    const lost = this.link.error ?? error;
    const reason = new Error(`the connection was lost before an answer came (${lost.message})`, { cause: lost });
    return { kind: 'failed', error: nodeError(this.id, reason), sent: true };
  }

  private unexpected(answer: unknown): LockReply {
    const error = new Error(
      `${this.id}: unexpected answer ${JSON.stringify(answer)}; do not use this connection for MULTI`,
    );
    return { kind: 'failed', error, sent: true };
  }

  private notSent(reason: string): LockReply {
    const cause = this.link.error;
    const error = new Error(`${this.id}: ${reason}`, cause === null ? undefined : { cause });
    return { kind: 'failed', error, sent: false };
  }

  private failLater(settle: Settle, reason: string): void {
    queueMicrotask(() => {
      settle(this.notSent(reason));
    });
  }

  private isLate({ deadlineMs }: Errand): boolean {
    return this.environment.clock.now() >= deadlineMs;
  }
}

function grantedOrHeld(answer: unknown): LockReply | null {
  if (answer === null) return HELD;
  const token = Number(answer);
  return Number.isSafeInteger(token) ? { kind: 'granted', token } : null;
}

function guardedAnswer(answer: unknown): LockReply | null {
  if (answer === 'quarantined') return QUARANTINED;
  if (answer === null) return HELD;
  return Number(answer) === 1 ? GRANTED_WITHOUT_TOKEN : null;
}

function guardedAnswerWithToken(answer: unknown): LockReply | null {
  return answer === 'quarantined' ? QUARANTINED : grantedOrHeld(answer);
}

function admitted(answer: unknown): LockReply | null {
  return Number(answer) === 1 ? ADMITTED : null;
}

/** Scripts answer 1 or 0, which clients that want numbers as text hand on as text. */
function eitherOf(one: LockReply, zero: LockReply): Interpret {
  return (answer) => (Number(answer) === 1 ? one : Number(answer) === 0 && answer !== null ? zero : null);
}

const committedOrRefused = eitherOf(COMMITTED, REFUSED);
const extendedOrAbsent = eitherOf(EXTENDED, ABSENT);
const releasedOrAbsent = eitherOf(RELEASED, ABSENT);
const grantedIfExtended = eitherOf(GRANTED_WITHOUT_TOKEN, HELD);

function inspected(answer: unknown): LockReply | null {
  if (!Array.isArray(answer)) return null;
  const [value, remainingMs] = answer as readonly unknown[];
  if (value === null) return { kind: 'inspected', value: null, remainingMs: null };
  if (typeof value !== 'string') return null;
  return { kind: 'inspected', value, remainingMs: Number(remainingMs) >= 0 ? Number(remainingMs) : null };
}
