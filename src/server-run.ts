import { withoutCommand } from './reply-error.ts';

const RUN_ID = /^run_id:([0-9a-f]+)\s*$/m;

/**
 * Which run of a server is behind a connection: a server draws a new run_id whenever it starts. It is asked for anew on every connection,
 * for a restart always ends a connection.
 */
export class ServerRun {
  private readonly askInfo: () => Promise<unknown>;
  private known: string | Error | null = null;
  private question = 0;
  private isAsking = false;

  /** @param askInfo sends `INFO server` */
  constructor(askInfo: () => Promise<unknown>) {
    this.askInfo = askInfo;
  }

  /** The run_id, or why it could not be read; null while the server has answered nothing. */
  get id(): string | Error | null {
    return this.known;
  }

  /** The connection is lost: behind the next one may be another run. */
  forget(): void {
    this.question += 1;
    this.isAsking = false;
    this.known = null;
  }

  /** Asks the server, unless that is under way; `settled` is called once it has answered on this connection. */
  ask(settled: () => void): void {
    if (this.isAsking) return;
    this.isAsking = true;
    this.question += 1;
    const { question } = this;
    const settle = (id: string | Error): void => {
      // An answer to a question that ioredis sent again, on another connection, is asked for there as well.
      if (question !== this.question) return;
      this.isAsking = false;
      this.known = id;
      settled();
    };
    this.askInfo().then(
      (answer) => {
        const id = typeof answer === 'string' ? RUN_ID.exec(answer)?.[1] : undefined;
        settle(id ?? new Error('INFO server tells no run_id, which restartGuard needs'));
      },
      (error: unknown) => settle(withoutCommand(error as Error)),
    );
  }
}
