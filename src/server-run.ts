import { withoutCommand } from './reply-error.ts';

const RUN_ID = /^run_id:([0-9a-f]+)\s*$/m;

/**
 * Which run of a server is behind a connection: a server draws a new run_id whenever it starts. It is asked for anew on every connection,
 * for a restart always ends a connection.
 */
export class ServerRun {
  private readonly askInfo: () => Promise<unknown>;
  private runId: string | null = null;
  private problem: Error | null = null;
  private question = 0;
  private isAsking = false;

  /** @param askInfo sends `INFO server` */
  constructor(askInfo: () => Promise<unknown>) {
    this.askInfo = askInfo;
  }

  /** Null while it is not known. */
  get id(): string | null {
    return this.runId;
  }

  /** Why it could not be read; null if that is not known, or it was read. */
  get error(): Error | null {
    return this.problem;
  }

  /** Whether the server has answered, if only by an error: then there is nothing to wait for. */
  get isSettled(): boolean {
    return this.runId !== null || this.problem !== null;
  }

  /** The connection is lost: behind the next one may be another run. */
  forget(): void {
    this.question += 1;
    this.isAsking = false;
    this.runId = null;
    this.problem = null;
  }

  /** Asks the server, unless that is under way; `settled` is called once it has answered on this connection. */
  ask(settled: () => void): void {
    if (this.isAsking) return;
    this.isAsking = true;
    this.question += 1;
    const { question } = this;
    const settle = (id: string | null, problem: Error | null): void => {
      // An answer to a question that ioredis sent again, on another connection, is asked for there as well.
      if (question !== this.question) return;
      this.isAsking = false;
      this.runId = id;
      this.problem = problem;
      settled();
    };
    this.askInfo().then(
      (answer) => {
        const id = typeof answer === 'string' ? RUN_ID.exec(answer)?.[1] : undefined;
        if (id === undefined) settle(null, new Error('INFO server tells no run_id, which restartGuard needs'));
        else settle(id, null);
      },
      (error: unknown) => settle(null, withoutCommand(error as Error)),
    );
  }
}
