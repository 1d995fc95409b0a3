import { factsOfError, type ServerFacts } from './server-facts.ts';

/**
 * Which server, and which run of it, is behind a connection. It is asked anew on every connection: a restart always ends a connection, and
 * the next one may lead anywhere.
 */
export class ServerRun {
  private readonly askServer: () => Promise<unknown>;
  private readonly read: (answer: unknown) => ServerFacts;
  private readonly isReady: () => boolean;
  private known: ServerFacts | null = null;
  private lastIds: readonly string[] = [];
  private connection = 0;
  private isAsking = false;

  /**
   * @param askServer sends the question
   * @param read makes sense of the answer
   * @param isReady whether the connection is ready: before and after that, an error is one of the connection, of which others tell
   */
  constructor(askServer: () => Promise<unknown>, read: (answer: unknown) => ServerFacts, isReady: () => boolean) {
    this.askServer = askServer;
    this.read = read;
    this.isReady = isReady;
  }

  /** What the server told on this connection; null while it has answered nothing. */
  get facts(): ServerFacts | null {
    return this.known;
  }

  /** The ids of the last server that told any, of this connection or an earlier one; the same array until others are told. */
  get ids(): readonly string[] {
    return this.lastIds;
  }

  /** The connection is lost: behind the next one may be another server. */
  forget(): void {
    this.connection += 1;
    this.isAsking = false;
    this.known = null;
  }

  /** Asks the server, unless that is under way; `settled` is called once it has answered on this connection. */
  ask(settled: () => void): void {
    if (!this.isAsking) this.askAgain(settled);
  }

  /** Asks even if an answer is on its way, or never comes. */
  askAgain(settled: () => void): void {
    this.isAsking = true;
    const { connection } = this;
    const settle = (facts: ServerFacts | null): void => {
      // An answer to a question that ioredis sent again, on another connection, is asked for there as well.
      if (connection !== this.connection) return;
      this.isAsking = false;
      if (facts === null) return;
      this.known = facts;
      if (facts.kind === 'known' && facts.ids.join() !== this.lastIds.join()) this.lastIds = facts.ids;
      settled();
    };
    this.askServer().then(
      (answer) => settle(this.read(answer)),
      (error: unknown) => settle(this.isReady() ? factsOfError(error as Error) : null),
    );
  }
}
