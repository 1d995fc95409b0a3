import type Dockerode from 'dockerode';
import { RunLostError } from '../testbed-error.ts';

/** No call takes the daemon so long, not even on a machine that is busy with other things. */
const ANSWER_WITHIN_MS = 30_000;
/** What the caller can call off (a pull, a build) waits for others than Docker. */
const LONG_ANSWER_WITHIN_MS = 600_000;

/** What docker-modem is given for one call, and what it calls back with. */
interface DialOptions {
  readonly path: string;
  readonly abortSignal?: AbortSignal | undefined;
}
type DialEnd = (error: unknown, result: unknown) => void;
interface Modem {
  dial(options: DialOptions, end: DialEnd): void;
}
interface Destroyable {
  destroy(error: Error): unknown;
  once(event: 'close', listener: () => void): unknown;
}

const known = new WeakMap<object, DockerCalls>();

/**
 * All calls of a Docker daemon, those that testcontainers makes included. Each has a deadline; one that is late, or whose connection breaks, fails
 * with a RunLostError. What the daemon answers passes as it is.
 */
export class DockerCalls {
  readonly place: string;
  private readonly underWay = new Set<(error: Error) => void>();
  private isAbandoned = false;

  private constructor(place: string) {
    this.place = place;
  }

  /** The calls of this engine, which are watched from the first time on. `place` tells people which daemon it is. */
  static of(engine: Dockerode, place: string): DockerCalls {
    const modem = engine.modem as Modem;
    const before = known.get(modem);
    if (before !== undefined) return before;
    const calls = new DockerCalls(place);
    known.set(modem, calls);
    const dial = modem.dial.bind(modem);
    modem.dial = (options, end) => {
      calls.dial(dial, options, end);
    };
    return calls;
  }

  /** Whatever is under way fails at once, and so does what is begun, until `reopen`: a daemon that hangs must not keep this process alive. */
  abandon(): void {
    this.isAbandoned = true;
    for (const end of this.underWay) end(this.abandonment());
  }

  reopen(): void {
    this.isAbandoned = false;
  }

  private abandonment(): RunLostError {
    return new RunLostError(`nobody waits any more for Docker at ${this.place}`);
  }

  private dial(dial: Modem['dial'], options: DialOptions, end: DialEnd): void {
    if (this.isAbandoned) {
      end(this.abandonment(), null);
      return;
    }
    const { abortSignal } = options;
    const controller = new AbortController();
    let isOver = false;
    const settle = (error: unknown, result: unknown): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.underWay.delete(giveUp);
      end(error, result);
    };
    const giveUp = (error: Error): void => {
      settle(error, null);
      controller.abort(error);
    };
    const milliseconds = abortSignal === undefined ? ANSWER_WITHIN_MS : LONG_ANSWER_WITHIN_MS;
    const timer = setTimeout(() => {
      giveUp(new RunLostError(`Docker at ${this.place} did not answer within ${milliseconds / 1000} s`));
    }, milliseconds);
    this.underWay.add(giveUp);
    const signals = abortSignal === undefined ? [controller.signal] : [controller.signal, abortSignal];
    dial({ ...options, abortSignal: AbortSignal.any(signals) }, (error, result) => {
      if (isConnectionError(error)) {
        settle(new RunLostError(`Docker at ${this.place} is gone: ${error.message}`, { cause: error }), null);
        return;
      }
      if (isStream(result)) this.keep(result);
      settle(error, result);
    });
  }

  /** An answer that goes on: whoever reads it has a deadline of his own. */
  private keep(stream: Destroyable): void {
    const giveUp = (error: Error): void => void stream.destroy(error);
    this.underWay.add(giveUp);
    stream.once('close', () => this.underWay.delete(giveUp));
  }
}

/** Errors of the system and of HTTP have a code; what the daemon says has a status; what was called off, or was wrong in itself, is neither. */
function isConnectionError(error: unknown): error is Error {
  const { code, statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown };
  return typeof code === 'string' && statusCode === undefined && !/^(ABORT_ERR$|ERR_)/.test(code);
}

function isStream(result: unknown): result is Destroyable {
  return typeof (result as Partial<Destroyable> | null)?.destroy === 'function';
}
