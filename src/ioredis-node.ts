import type { Environment } from './environment.ts';
import { GATHERED, wordsOfGathered } from './gathered-script.ts';
import type { IoredisClient, SendCommand } from './ioredis-client.ts';
import { connectionOf, type IoredisConnection } from './ioredis-connection.ts';
import {
  type AcquireCommand,
  GRANTED_WITHOUT_TOKEN,
  HELD,
  type LockCommand,
  type LockNode,
  type LockReply,
} from './lock-node.ts';
import { lacksScript, nodeError, partError, tellsOfLoss } from './reply-error.ts';
import { namesRun, ownershipRequest, type ScriptRequest, scriptRequestOf } from './requests.ts';

/** A server that was sent commands and said nothing for so long, and for some node timeouts, gets no more until it speaks. */
const SILENCE_MS = 2000;
const SILENCE_TIMEOUTS = 4;
/** So many commands wait at most for a server that is silent: nothing else bounds them if it hangs for good. */
const LONGEST_BACKLOG = 10_000;
/** So many commands travel in one script at most, which nobody else can interrupt: it takes a server a fraction of a millisecond. */
const MOST_TOGETHER = 100;

const SENT_AGAIN = 'the connection was lost, and the command sent again to a server that may have restarted';

type Settle = (reply: LockReply) => void;

/** A command on its way, and the moment by the monotonic clock at which its caller gives up. */
interface Errand {
  readonly command: LockCommand;
  readonly deadlineMs: number;
  readonly settle: Settle;
}

/** Nodes that have gathered what they will send once this tick has run: one microtask for all of them. */
let gatherers: (() => void)[] = [];

function sendAllGathered(): void {
  const senders = gatherers;
  gatherers = [];
  for (const send of senders) {
    try {
      send();
    } catch (error) {
      // What is wrong with one must not keep the others from sending.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** An errand in Redis' terms, for the connection of this epoch. */
interface Sending {
  readonly errand: Errand;
  readonly request: ScriptRequest;
  readonly epoch: number;
}

export interface IoredisNodeOptions {
  /** Whether distrilock opened the client, and so closes it by `Redlock.close` too. */
  readonly owned: boolean;
  /** Whether commands will need to know the server's run. */
  readonly isGuarded: boolean;
  readonly environment: Environment;
}

/**
 * One Redis master behind an ioredis client. Commands that are given in one tick travel together, as one script: a call costs client and
 * server far more than what it does. A command alone is sent as it is.
 */
export class IoredisNode implements LockNode {
  readonly id: string;
  readonly cluster?: { readonly keyPrefix: string };
  readonly connection: { readonly owned: boolean; quit(): Promise<void> };
  private readonly client: IoredisClient;
  private readonly link: IoredisConnection;
  private readonly environment: Environment;
  private readonly set: SendCommand;
  private readonly evaluate: SendCommand;
  private readonly evaluateKnown: SendCommand;
  /** What was given in this tick. */
  private gathered: Errand[] = [];
  private hasQuit = false;

  constructor(id: string, client: IoredisClient, { owned, isGuarded, environment }: IoredisNodeOptions) {
    this.id = id;
    if (client.isCluster) this.cluster = { keyPrefix: client.options.keyPrefix ?? '' };
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
        this.sendGathered();
        return this.link.quit(environment.timers);
      },
    };
  }

  execute(command: LockCommand, settle: Settle): void {
    if (this.hasQuit) {
      this.failLater(settle, 'the connection was closed by quit() or close()');
      return;
    }
    const errand: Errand = { command, deadlineMs: this.environment.clock.now() + command.timeoutMs, settle };
    // Nothing may overtake what was given before, not even if the connection went since.
    if (this.gathered.length === 0 && !this.link.isReady()) this.wait(errand);
    else if (this.wouldPileUp(command)) this.failLater(settle, 'the server has not answered anything for a while');
    else this.gather(errand);
  }

  /**
   * Whether the command would only wait with others for a server that is silent. What keeps or gives back a lock that is held is
   * not refused for that: the server may have the lock, or its acquire in the buffers, and then needs the release behind it.
   */
  private wouldPileUp({ kind, timeoutMs }: LockCommand): boolean {
    if (!this.link.isSilent(this.environment, Math.max(SILENCE_MS, timeoutMs * SILENCE_TIMEOUTS))) return false;
    return (kind !== 'release' && kind !== 'extend') || this.link.unanswered + this.gathered.length >= LONGEST_BACKLOG;
  }

  private wait(errand: Errand): void {
    this.link.whenReady({
      isLate: () => this.isLate(errand),
      send: () => this.gather(errand),
      drop: (reason) => this.failLater(errand.settle, reason),
    });
  }

  private gather(errand: Errand): void {
    const count = this.gathered.push(errand);
    // The server can work on these while this process goes on.
    if (count === MOST_TOGETHER) this.sendGathered();
    else if (count === 1 && gatherers.push(this.sendGathered) === 1) queueMicrotask(sendAllGathered);
  }

  private readonly sendGathered = (): void => {
    const errands = this.gathered;
    this.gathered = [];
    if (errands.length === 0) return;
    if (!this.link.isReady()) {
      for (const errand of errands) this.wait(errand);
      return;
    }
    const sendings: Sending[] = [];
    for (const errand of errands) {
      const sending = this.sendingOf(errand);
      if (sending !== null) sendings.push(sending);
    }
    // The keys of the locks lie on many servers of a cluster.
    if (this.client.isCluster) for (const sending of sendings) this.send([sending]);
    else this.send(sendings);
  };

  /** Null, and settled, where the server's run must be named and is not known. */
  private sendingOf(errand: Errand): Sending | null {
    const { command, settle } = errand;
    const { epoch } = this.link;
    const { keyPrefix } = this.client.options;
    if (!namesRun(command)) return { errand, epoch, request: scriptRequestOf(command, keyPrefix, '') };
    const { runId } = this.link;
    if (typeof runId === 'string') return { errand, epoch, request: scriptRequestOf(command, keyPrefix, runId) };
    const error = nodeError(this.id, runId);
    queueMicrotask(() => settle({ kind: 'failed', error, sent: false }));
    return null;
  }

  private send(sendings: readonly Sending[]): void {
    const [sending] = sendings;
    if (sending === undefined) return;
    if (sendings.length > 1) {
      this.runTogether(sendings);
      return;
    }
    const { command } = sending.errand;
    if (command.kind === 'acquire' && command.tokenHint === null && command.guard === null)
      this.setPlain(command, sending);
    else this.run(sending);
  }

  /** Without a token no script is needed, unless the answer may be that to a command that had run before. */
  private setPlain(command: AcquireCommand, { errand, epoch }: Sending): void {
    const { key, value, ttlMs, fresh } = command;
    const receive = (answer: unknown): void => {
      if (answer === 'OK') errand.settle(GRANTED_WITHOUT_TOKEN);
      else if (answer !== null) errand.settle(this.unexpected(answer));
      // A cluster client sends again by itself, and any client may after it lost its connection: then the key may be our own.
      else if (fresh && !this.client.isCluster && epoch === this.link.epoch) errand.settle(HELD);
      else if (this.link.isReady()) this.run({ errand, request: ownershipRequest(command), epoch: this.link.epoch });
      else errand.settle(this.failed(new Error('nobody can tell whose key a SET met that may have been sent twice')));
    };
    this.call(this.set, [key, value, 'PX', ttlMs, 'NX'], 1, receive, (error) => errand.settle(this.failed(error)));
  }

  private run(sending: Sending): void {
    const { script, keys, args } = sending.request;
    const receive = (answer: unknown): void => this.receive(sending, answer);
    const sendWhole = (): void => {
      this.call(this.evaluate, [script.lua, keys.length, ...keys, ...args], 1, receive, (error) => {
        sending.errand.settle(this.failed(error));
      });
    };
    if (this.link.mustSendWhole(script)) {
      sendWhole();
      return;
    }
    this.call(this.evaluateKnown, [script.sha1, keys.length, ...keys, ...args], 1, receive, (error) => {
      if (!lacksScript(error)) sending.errand.settle(this.failed(error));
      else if (this.canSendAgain(sending)) sendWhole();
    });
  }

  private runTogether(sendings: readonly Sending[]): void {
    if (this.link.mustSendWhole(GATHERED)) {
      this.callTogether(this.evaluate, GATHERED.lua, sendings, () => undefined);
      return;
    }
    this.callTogether(this.evaluateKnown, GATHERED.sha1, sendings, () => {
      const again = sendings.filter((sending) => this.canSendAgain(sending));
      if (again.length > 0) this.callTogether(this.evaluate, GATHERED.lua, again, () => undefined);
    });
  }

  private callTogether(
    send: SendCommand,
    text: string,
    sendings: readonly Sending[],
    onUnknownScript: () => void,
  ): void {
    this.call(
      send,
      [text, ...wordsOfGathered(sendings.map(({ request }) => request))],
      sendings.length,
      (answers) => {
        const isComplete = Array.isArray(answers) && answers.length === sendings.length;
        sendings.forEach((sending, place) => {
          if (!isComplete) sending.errand.settle(this.unexpected(answers));
          else this.receive(sending, answers[place] as unknown);
        });
      },
      (error) => {
        if (lacksScript(error)) onUnknownScript();
        else for (const { errand } of sendings) errand.settle(this.failed(error));
      },
    );
  }

  /** Whether a script that the server did not know can be sent whole; its scripts were flushed, or it is another server of a cluster. */
  private canSendAgain({ errand, epoch }: Sending): boolean {
    const isOf = !namesRun(errand.command) || epoch === this.link.epoch;
    if (isOf && !this.isLate(errand) && this.link.isReady()) return true;
    errand.settle(this.notSent('the server did not know the script'));
    return false;
  }

  private receive({ errand, request, epoch }: Sending, answer: unknown): void {
    const { command, settle } = errand;
    // A client that sends again by itself may do so to a server that has restarted since: what that says to the old run_id is worth nothing.
    if (namesRun(command) && epoch !== this.link.epoch) settle(this.failed(new Error(SENT_AGAIN)));
    else settle(request.interpret(answer) ?? this.unexpected(answer));
  }

  private call(
    send: SendCommand,
    words: (string | number)[],
    commandCount: number,
    receive: (answer: unknown) => void,
    fail: (error: Error) => void,
  ): void {
    const { link } = this;
    const { clock } = this.environment;
    const { epoch } = link;
    link.noteSent(clock.now(), commandCount);
    send.apply(this.client, words).then(
      (answer) => {
        link.noteAnswer(clock.now(), epoch, commandCount);
        receive(answer);
      },
      (reason: unknown) => {
        link.noteAnswer(clock.now(), epoch, commandCount);
        // ioredis rejects with errors only.
        fail(reason as Error);
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
    const problem = partError(answer);
    if (problem !== null) return this.failed(problem);
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
