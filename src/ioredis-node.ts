import { Backlog } from './backlog.ts';
import { DistinctServers } from './distinct-servers.ts';
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
import { metOwnValue, namesRun, ownershipRequest, type ScriptRequest, scriptRequestOf, wordsOf } from './requests.ts';
import { atEndOfTick } from './tick-end.ts';
import { isVote, VotingRight } from './voting-right.ts';

/** So many commands travel in one script at most, which nobody else can interrupt: it takes a server a fraction of a millisecond. */
const MOST_TOGETHER = 100;
/**
 * A server that has nothing to do gets so many at once, and the rest of the tick's with the next call: otherwise it would wait for this process to make
 * them all, and this process for it to run them all, by turns.
 */
const ENOUGH_FOR_IDLE = 20;

const SENT_AGAIN = 'the connection was lost, and the command sent again to a server that may have restarted';

type Settle = (reply: LockReply) => void;

/** A command on its way. */
interface Errand {
  readonly command: LockCommand;
  /** The moment by the monotonic clock at which its caller gives up. */
  readonly deadlineMs: number;
  readonly settle: Settle;
  /** In the terms of scripts; null until it is needed, and while the run_id is not known that it names. */
  request: ScriptRequest | null;
  /** Which connection it was sent over first. */
  epoch: number;
  /** Which connection it was sent over last. */
  lastEpoch: number;
  /** How it was sent last: as a plain SET, or as a script by its name or whole. */
  form: 'set' | 'name' | 'script';
}

/** An errand that is run by a script. */
type ScriptErrand = Errand & { readonly request: ScriptRequest };

/** Whether a plain SET does for the command, if it travels alone. */
function canBePlain(command: LockCommand): command is AcquireCommand {
  return command.kind === 'acquire' && command.tokenHint === null && command.guard === null;
}

export interface IoredisNodeOptions {
  /** Whether distrilock opened the client, and so closes it by `Redlock.close` too. */
  readonly owned: boolean;
  readonly environment: Environment;
  /** The servers of all nodes among which no one may vote twice. */
  readonly servers?: DistinctServers;
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
  private readonly votingRight: VotingRight;
  private readonly set: SendCommand;
  private readonly evaluate: SendCommand;
  private readonly evaluateKnown: SendCommand;
  /** What was given in this tick: mostly one command alone. */
  private firstGathered: Errand | null = null;
  private furtherGathered: Errand[] = [];
  /** When the first of them was given. */
  private tickMs = 0;
  private hasQuit = false;
  /** What commands are told that the server is too silent for, and the error of the connection that it names. */
  private silence: { readonly cause: Error | null; readonly reply: LockReply } | null = null;
  private readonly backlog: Backlog;

  constructor(id: string, client: IoredisClient, { owned, environment, servers }: IoredisNodeOptions) {
    this.id = id;
    if (client.isCluster) this.cluster = { keyPrefix: client.options.keyPrefix ?? '' };
    this.client = client;
    this.link = connectionOf(client);
    this.environment = environment;
    this.backlog = new Backlog(this.link, environment);
    this.votingRight = new VotingRight(id, this.link, servers ?? new DistinctServers(), environment);
    this.set = client.createBuiltinCommand('set').string;
    this.evaluate = client.createBuiltinCommand('eval').string;
    this.evaluateKnown = client.createBuiltinCommand('evalsha').string;
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
    // One look at the clock serves all that is given in one tick.
    if (this.firstGathered === null) this.tickMs = this.environment.clock.now();
    const deadlineMs = this.tickMs + command.timeoutMs;
    // All nodes are given the command one after the other, and so share the request. A command alone may need none.
    const waits = namesRun(command) || (this.firstGathered === null && canBePlain(command));
    const request = waits ? null : scriptRequestOf(command, this.client.options.keyPrefix, '');
    const errand: Errand = { command, deadlineMs, settle, request, epoch: 0, lastEpoch: 0, form: 'name' };
    // Nothing may overtake what was given before, not even if the connection went since.
    if (this.firstGathered === null && !this.link.isReady()) this.wait(errand);
    else if (this.backlog.refuses(command, this.gatheredCount)) this.refuseInSilence(settle);
    else this.gather(errand);
  }

  /** With one error for all of them: while a server hangs, every lock asks it, and the trace of each error costs more than the command. */
  private refuseInSilence(settle: Settle): void {
    const cause = this.link.error;
    if (this.silence === null || this.silence.cause !== cause) {
      this.silence = { cause, reply: this.notSent('the server has not answered anything for a while') };
    }
    const { reply } = this.silence;
    atEndOfTick(() => settle(reply));
  }

  private get gatheredCount(): number {
    return this.firstGathered === null ? 0 : 1 + this.furtherGathered.length;
  }

  private wait(errand: Errand): void {
    this.link.whenReady({
      isLate: () => this.isLate(errand),
      send: () => this.gather(errand),
      drop: (reason) => this.failLater(errand.settle, reason),
    });
  }

  private gather(errand: Errand): void {
    if (this.firstGathered === null) {
      this.firstGathered = errand;
      atEndOfTick(this.sendGathered);
      return;
    }
    const count = 1 + this.furtherGathered.push(errand);
    // The server can work on these while this process goes on.
    if (count === MOST_TOGETHER || (count === ENOUGH_FOR_IDLE && this.link.unanswered === 0)) this.sendGathered();
  }

  private readonly sendGathered = (): void => {
    const { firstGathered: first, furtherGathered: further } = this;
    if (first === null) return;
    this.firstGathered = null;
    if (further.length > 0) this.furtherGathered = [];
    if (!this.link.isReady()) {
      this.wait(first);
      for (const errand of further) this.wait(errand);
      return;
    }
    const refusal = this.votingRight.refusal();
    if (further.length === 0) {
      if (this.prepare(first, refusal)) this.sendAlone(first);
      return;
    }
    const prepared = [first, ...further].filter((errand) => this.prepare(errand, refusal));
    // The keys of the locks lie on many servers of a cluster.
    if (this.client.isCluster || prepared.length === 1) for (const errand of prepared) this.sendAlone(errand);
    else if (prepared.length > 1) this.runTogether(prepared.map((errand) => this.scripted(errand)));
  };

  private refuse({ settle }: Errand, why: Error): void {
    const error = nodeError(this.id, why);
    queueMicrotask(() => settle({ kind: 'failed', error, sent: false }));
  }

  /** Makes an errand ready for the connection of now; settles it and answers false if it must not, or cannot, be sent. */
  private prepare(errand: Errand, refusal: Error | null): boolean {
    const { command } = errand;
    const { epoch, facts } = this.link;
    errand.epoch = epoch;
    if (isVote(command)) {
      if (refusal !== null) {
        this.refuse(errand, refusal);
        return false;
      }
      // Not by the deadline: whoever gave several commands in one tick may have been busy in between, and the clock was read before.
      this.votingRight.noteVote(this.environment.clock.now() + command.timeoutMs, command.timeoutMs);
    }
    if (!namesRun(command)) return true;
    if (facts?.kind === 'known') {
      errand.request = scriptRequestOf(command, this.client.options.keyPrefix, facts.ids[0] as string);
      return true;
    }
    this.link.askServer();
    const why = facts?.why.message ?? 'the server has not told its run_id yet';
    this.refuse(errand, new Error(`${why}, which restartGuard needs`));
    return false;
  }

  private scripted(errand: Errand): ScriptErrand {
    errand.request ??= scriptRequestOf(errand.command, this.client.options.keyPrefix, '');
    return errand as ScriptErrand;
  }

  private sendAlone(errand: Errand): void {
    const { command } = errand;
    if (canBePlain(command)) this.setPlain(command, errand);
    else this.run(this.scripted(errand));
  }

  /** Without a token no script is needed, unless the answer may be that to a command that had run before. */
  private setPlain(command: AcquireCommand, errand: Errand): void {
    const { key, value, ttlMs } = command;
    this.track(this.set.call(this.client, key, value, 'PX', ttlMs, 'NX'), errand, 'set');
  }

  private receiveOfSet(errand: Errand, command: AcquireCommand, answer: unknown): void {
    const { epoch } = errand;
    const doubt = this.doubt(command, epoch);
    if (doubt !== null) errand.settle(this.doubted(doubt, answer === 'OK' ? GRANTED_WITHOUT_TOKEN : null));
    else if (answer === 'OK') errand.settle(GRANTED_WITHOUT_TOKEN);
    else if (answer !== null) errand.settle(this.unexpected(answer));
    else if (command.fresh && this.wasSentOnce(epoch)) errand.settle(HELD);
    else if (this.link.isReady()) {
      this.run({ ...errand, request: ownershipRequest(command), epoch: this.link.epoch });
    } else errand.settle(this.failed(new Error('nobody can tell whose key a SET met that may have been sent twice')));
  }

  private run(errand: ScriptErrand): void {
    this.sendScript(errand, this.link.mustSendWhole(errand.request.script));
  }

  private sendScript(errand: ScriptErrand, isWhole: boolean): void {
    const { request } = errand;
    if (isWhole) this.track(this.evaluate.apply(this.client, wordsOf(request, request.script.lua)), errand, 'script');
    else {
      request.wordsByName ??= wordsOf(request, request.script.sha1);
      this.track(this.evaluateKnown.apply(this.client, request.wordsByName), errand, 'name');
    }
  }

  private runTogether(errands: readonly ScriptErrand[]): void {
    if (this.link.mustSendWhole(GATHERED)) {
      this.callTogether(this.evaluate, GATHERED.lua, errands, () => undefined);
      return;
    }
    this.callTogether(this.evaluateKnown, GATHERED.sha1, errands, () => {
      const again = errands.filter((errand) => this.canSendAgain(errand));
      if (again.length > 0) this.callTogether(this.evaluate, GATHERED.lua, again, () => undefined);
    });
  }

  private callTogether(
    send: SendCommand,
    text: string,
    errands: readonly ScriptErrand[],
    onUnknownScript: () => void,
  ): void {
    const { link, environment } = this;
    const { epoch } = link;
    const words = wordsOfGathered(text, errands);
    link.noteSent(environment.clock.now(), errands.length);
    send.apply(this.client, words).then(
      (answers) => {
        link.noteAnswer(environment.clock.now(), epoch, errands.length);
        const isComplete = Array.isArray(answers) && answers.length === errands.length;
        errands.forEach((errand, place) => {
          if (!isComplete) errand.settle(this.unexpected(answers));
          else this.receive(errand, answers[place] as unknown);
        });
      },
      (reason: unknown) => {
        link.noteAnswer(environment.clock.now(), epoch, errands.length);
        // ioredis rejects with errors only.
        if (lacksScript(reason as Error)) onUnknownScript();
        else for (const { settle } of errands) settle(this.failed(reason as Error));
      },
    );
  }

  /** Whether a script that the server did not know can be sent whole; its scripts were flushed, or it is another server of a cluster. */
  private canSendAgain({ command, deadlineMs, epoch, settle }: Errand): boolean {
    const isOf = !namesRun(command) || epoch === this.link.epoch;
    if (isOf && this.environment.clock.now() < deadlineMs && this.link.isReady()) return true;
    const reason = 'the server did not know the script';
    // Of a command that was sent again, an earlier copy may have met a server that knew it.
    settle(this.wasSentOnce(epoch) ? this.notSent(reason) : this.failed(new Error(reason)));
    return false;
  }

  private receive({ command, settle, request, epoch }: ScriptErrand, answer: unknown): void {
    const doubt = this.doubt(command, epoch);
    if (doubt !== null) settle(this.doubted(doubt, request.interpret(answer)));
    else if (command.kind === 'acquire' && command.fresh && metOwnValue(answer) && this.wasSentOnce(epoch))
      settle(HELD);
    else settle(request.interpret(answer) ?? this.unexpected(answer));
  }

  /**
   * Whether the command went to a server only once. If that has a fresh value of an acquire all the same, another node leads to the same server, which
   * has one vote, even where it does not tell who it is.
   * A cluster client sends again by itself, and any client may after it lost its connection: then the value is there because of an earlier copy, and
   * is a vote like any other. Whichever copy stored it, the key lives as long as was asked for from a moment after the attempt began, from which
   * its validity counts.
   */
  private wasSentOnce(epoch: number): boolean {
    return !this.client.isCluster && epoch === this.link.epoch;
  }

  /**
   * Why an answer is worth nothing, if the connection was lost since the command was sent: a client that sends again by itself may have done so to
   * another server, or to one that has restarted since and was named the old run_id.
   */
  private doubt(command: LockCommand, epoch: number): Error | null {
    if (epoch === this.link.epoch) return null;
    if (namesRun(command)) return new Error(SENT_AGAIN);
    if (!isVote(command)) return null;
    return this.link.facts === null ? new Error(SENT_AGAIN) : this.votingRight.refusal();
  }

  private track(sent: Promise<unknown>, errand: Errand, form: Errand['form']): void {
    errand.form = form;
    errand.lastEpoch = this.link.epoch;
    this.link.noteSent(this.environment.clock.now(), 1);
    // One function for both: ioredis rejects with errors only, and no server's answer is one. Bound, it is half as large as a closure with its scope.
    const hear = this.hear.bind(this, errand);
    sent.then(hear, hear);
  }

  private hear(errand: Errand, outcome: unknown): void {
    const { form } = errand;
    this.link.noteAnswer(this.environment.clock.now(), errand.lastEpoch, 1);
    if (!(outcome instanceof Error)) {
      if (form === 'set') this.receiveOfSet(errand, errand.command as AcquireCommand, outcome);
      else this.receive(errand as ScriptErrand, outcome);
    } else if (form !== 'name' || !lacksScript(outcome)) errand.settle(this.failed(outcome));
    else if (this.canSendAgain(errand)) this.sendScript(errand as ScriptErrand, true);
  }

  private failed(error: Error): LockReply {
    if (!tellsOfLoss(error)) return { kind: 'failed', error: nodeError(this.id, error), sent: true };
    const lost = this.link.error ?? error;
    const reason = new Error(`the connection was lost before an answer came (${lost.message})`, { cause: lost });
    return { kind: 'failed', error: nodeError(this.id, reason), sent: true };
  }

  /** An answer that is worth nothing as a vote; but a value that was stored is there, and to be cleaned up. */
  private doubted(doubt: Error, answer: LockReply | null): LockReply {
    const error = nodeError(this.id, doubt);
    return { kind: 'failed', error, sent: true, ...(answer?.kind === 'granted' && { mayHold: true }) };
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
