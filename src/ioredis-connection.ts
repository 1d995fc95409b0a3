import type { Cancel, Environment } from './environment.ts';
import type { IoredisClient } from './ioredis-client.ts';
import { advisedMessage, withoutCommand } from './reply-error.ts';
import type { Script } from './scripts.ts';
import { factsOfInfo, factsOfSlots, type ServerFacts } from './server-facts.ts';
import { ServerRun } from './server-run.ts';

/** How long each of the two timers runs that prove that the event loop turned; short, for only the turning matters. */
const LOOP_TURN_MS = 20;
/** How long quit waits for the answers to what was sent before. */
const QUIT_TIMEOUT_MS = 1000;

/** A command that waits for its connection. */
export interface WaitingCommand {
  /** Whether its caller has given up by now. */
  isLate(): boolean;
  send(): void;
  /** Tells the caller that the command was not sent, though not within this call. */
  drop(reason: string): void;
}

/** Ready and the socket takes writes: the only state in which ioredis does not queue a command, to run it whenever it can. */
function takesWrites(client: IoredisClient): boolean {
  return client.status === 'ready' && client.stream?.writable !== false;
}

const watched = new WeakMap<IoredisClient, IoredisConnection>();

/** The watch over a client, one for all nodes that use it, so that listeners do not pile up on it. */
export function connectionOf(client: IoredisClient): IoredisConnection {
  let connection = watched.get(client);
  if (connection === undefined) {
    connection = new IoredisConnection(client);
    watched.set(client, connection);
  }
  return connection;
}

/**
 * Watches the connection of one ioredis client: lets commands wait while it is being made, knows why it is down, and asks each server who it is
 * before it is sent anything else.
 * ioredis itself never gets a command that it would have to queue, for it would run it long after its caller gave up.
 */
export class IoredisConnection {
  readonly client: IoredisClient;
  /** Grows whenever the connection is lost: commands that were sent before may have been sent again. */
  epoch = 0;
  private waiting: WaitingCommand[] = [];
  private readonly sentScripts = new Set<Script>();
  private lastError: Error | null = null;
  private quitting: Promise<void> | null = null;
  private readonly serverRun: ServerRun;
  /** Whether the last attempt to connect failed. */
  private isDown = false;
  private wasReady: boolean;
  private unansweredCount = 0;
  /** Since when nothing came back, by the clock of whoever sent last; meaningful while commands are unanswered. */
  private silentSinceMs = 0;
  /** Whether the event loop turned, and so read what had arrived, after the silence was noticed. */
  private isSilenceProven = false;
  /** Stops the timers that wait for the event loop to turn; null before a silence is noticed. */
  private cancelProof: Cancel | null = null;

  constructor(client: IoredisClient) {
    this.client = client;
    this.wasReady = client.status === 'ready';
    this.serverRun = serverRunOf(client);
    client.on('error', (error: Error & { readonly lastNodeError?: Error }) => {
      // What a cluster client says itself does not tell why.
      this.lastError = withoutCommand(error.lastNodeError ?? error);
    });
    client.on('connect', () => {
      // While ioredis asks whether the server is ready: so nobody waits any longer for the answer, and a server that is loading is known as one.
      if (client.status === 'connect' && !client.isCluster) this.askServer();
    });
    client.on('ready', () => {
      this.wasReady = true;
      this.isDown = false;
      this.lastError = null;
      this.quitting = null;
      if (this.facts === null || this.facts.kind === 'unfit') this.askServer();
      else this.sendWaiting();
    });
    client.on('close', () => {
      this.beginEpoch();
      this.serverRun.forget();
      // After a loss the first attempt to connect again decides what becomes of those who wait.
      this.isDown = !this.wasReady;
      this.wasReady = false;
      if (this.isDown) this.dropWaiting();
    });
    client.on('end', () => {
      this.dropWaiting();
    });
    if (this.wasReady) this.askServer();
  }

  /** The last error of the connection; null once it is ready again. */
  get error(): Error | null {
    return this.lastError;
  }

  /** What the server behind this connection has told about itself; null while it has not. */
  get facts(): ServerFacts | null {
    return this.serverRun.facts;
  }

  /** What tells the server from others, see {@link ServerRun.ids}. */
  get serverIds(): readonly string[] {
    return this.serverRun.ids;
  }

  get isServerKnown(): boolean {
    return this.facts?.kind === 'known';
  }

  /** Asks the server who it is, once more if it has answered: what was against it may have passed. */
  askServer(): void {
    const { client } = this;
    if (takesWrites(client) || client.status === 'connect') this.serverRun.ask(this.settleServer);
  }

  /** Whether a command can be sent now. Those who wait go first. */
  isReady(): boolean {
    if (!this.takesCommands()) return false;
    if (this.waiting.length > 0) this.sendWaiting();
    return true;
  }

  /**
   * Sends the command as soon as the connection is ready, in the order of the calls, unless it is late by then; drops it once
   * that cannot be. Starts a lazy connection.
   */
  whenReady(command: WaitingCommand): void {
    const { client } = this;
    if (client.status === 'end' || (this.isDown && (client.status === 'reconnecting' || client.status === 'close'))) {
      command.drop(this.whyDown());
      return;
    }
    if (client.status === 'connect' && this.facts?.kind === 'unfit') {
      command.drop(this.facts.why.message);
      this.askServer();
      return;
    }
    // One server of a cluster that hangs must not keep it from voting: another one is asked.
    if (this.forgetLate() && client.isCluster && takesWrites(client)) this.serverRun.askAgain(this.settleServer);
    this.waiting.push(command);
    // Why it fails is told by the `error` event.
    if (client.status === 'wait') client.connect().catch(() => undefined);
  }

  /** How many commands were sent over this connection and not answered yet. */
  get unanswered(): number {
    return this.unansweredCount;
  }

  /**
   * Whether commands were sent, and for so long nothing came back: a server that hangs would let them pile up. The clock alone
   * does not tell, for it also runs while this process is too busy, or was stopped, and answers lie unread in its sockets: it
   * is believed once the event loop has turned since.
   */
  isSilent({ clock, timers }: Environment, forMs: number): boolean {
    if (this.unansweredCount === 0 || clock.now() - this.silentSinceMs <= forMs) return false;
    if (!this.isSilenceProven) this.cancelProof ??= this.proveSilence(timers);
    return this.isSilenceProven;
  }

  noteSent(nowMs: number, commandCount: number): void {
    if (this.unansweredCount === 0) this.silentSinceMs = nowMs;
    this.unansweredCount += commandCount;
  }

  noteAnswer(nowMs: number, epoch: number, commandCount: number): void {
    if (epoch !== this.epoch) return;
    this.unansweredCount -= commandCount;
    this.silentSinceMs = nowMs;
    this.endSilence();
  }

  /**
   * Whether the script is to be sent whole: the first time on each connection. A server that has to say that it does not know
   * a script would get it behind the commands that followed.
   */
  mustSendWhole(script: Script): boolean {
    if (this.sentScripts.has(script)) return false;
    this.sentScripts.add(script);
    return true;
  }

  /** Why the connection is not ready, in words. */
  whyDown(): string {
    if (this.lastError !== null) return `no connection: ${advisedMessage(this.lastError)}`;
    return this.client.status === 'end' ? 'the connection is closed' : 'no connection';
  }

  /** Lets the server answer what was sent before, for a second at most; a connection that is not ready is cut at once. */
  quit(timers: Environment['timers']): Promise<void> {
    const { client } = this;
    if (client.status === 'end') return Promise.resolve();
    this.quitting ??= new Promise((resolve) => {
      const cut = (): void => {
        if (client.status !== 'end') client.disconnect();
        resolve();
      };
      if (!this.isReady()) {
        cut();
        return;
      }
      const cancel = timers.schedule(QUIT_TIMEOUT_MS, cut);
      client
        .quit()
        .then(() => resolve(), cut)
        .finally(cancel);
    });
    return this.quitting;
  }

  private takesCommands(): boolean {
    return takesWrites(this.client) && this.serverRun.facts !== null;
  }

  private readonly settleServer = (): void => {
    const { client, facts } = this;
    if (takesWrites(client)) this.sendWaiting();
    // ioredis would let them wait for a server that is loading until it asks again, which may take long.
    else if (client.status === 'connect' && facts?.kind === 'unfit') this.dropWaiting(facts.why.message);
  };

  private beginEpoch(): void {
    this.epoch += 1;
    this.unansweredCount = 0;
    this.endSilence();
    this.sentScripts.clear();
  }

  /** Two timers, one after the other: the loop may run the first before it reads its sockets, and reads them before the second. */
  private proveSilence(timers: Environment['timers']): Cancel {
    return timers.schedule(LOOP_TURN_MS, () => {
      this.cancelProof = timers.schedule(LOOP_TURN_MS, () => {
        this.isSilenceProven = true;
      });
    });
  }

  private endSilence(): void {
    this.isSilenceProven = false;
    this.cancelProof?.();
    this.cancelProof = null;
  }

  private sendWaiting(): void {
    // A command that cannot be sent after all waits again, behind those that came meanwhile.
    const commands = this.waiting;
    this.waiting = [];
    for (const command of commands) {
      if (command.isLate()) command.drop('the connection was ready too late');
      else if (this.takesCommands()) command.send();
      else this.waiting.push(command);
    }
  }

  private dropWaiting(reason = this.whyDown()): void {
    const commands = this.waiting;
    this.waiting = [];
    for (const command of commands) command.drop(reason);
  }

  /** Drops those at the front whose callers have given up, so that a node that is down collects no more than it must. Says whether there were any. */
  private forgetLate(): boolean {
    let late = 0;
    while (this.waiting[late]?.isLate() === true) late += 1;
    if (late === 0) return false;
    const reason = this.whyDown();
    for (const command of this.waiting.splice(0, late)) command.drop(reason);
    return true;
  }
}

function serverRunOf(client: IoredisClient): ServerRun {
  const isReady = (): boolean => takesWrites(client);
  if (client.isCluster) {
    const { string: cluster } = client.createBuiltinCommand('cluster');
    return new ServerRun(() => cluster.call(client, 'slots'), factsOfSlots, isReady);
  }
  const { string: info } = client.createBuiltinCommand('info');
  return new ServerRun(() => info.call(client), factsOfInfo, isReady);
}
