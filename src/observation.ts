import type { Environment } from './environment.ts';
import { ContendedError, LockError } from './errors.ts';
import type { EventHub } from './event-hub.ts';
import type { AttemptEvent, LockOperation } from './events.ts';

/** One operation that somebody listens to. It reads the clock, which an operation that nobody listens to need not. */
export class Observation {
  private readonly hub: EventHub;
  private readonly environment: Environment;
  private readonly operation: LockOperation;
  private readonly startedMs: number;

  constructor(hub: EventHub, environment: Environment, operation: LockOperation) {
    this.hub = hub;
    this.environment = environment;
    this.operation = operation;
    this.startedMs = environment.clock.now();
  }

  started(): void {
    this.hub.emit('started', { operation: this.operation });
  }

  attempted(attempt: Omit<AttemptEvent, 'operation'>): void {
    this.hub.emit('attempt', { operation: this.operation, ...attempt });
  }

  acquired(lock: { readonly attempts: number; readonly validity: number; readonly token: number | undefined }): void {
    const { operation, durationMs } = this;
    const { attempts, validity, token } = lock;
    this.hub.emit('acquired', { operation, durationMs, attempts, validityMs: validity, token: token ?? null });
  }

  extended(validityMs: number): void {
    this.hub.emit('extended', { operation: this.operation, durationMs: this.durationMs, validityMs });
  }

  released(): void {
    this.hub.emit('released', { operation: this.operation, durationMs: this.durationMs });
  }

  failed(error: unknown): void {
    const { operation, durationMs } = this;
    if (error instanceof ContendedError) this.hub.emit('contended', { operation, durationMs, error });
    else {
      this.hub.emit('failed', { operation, durationMs, code: error instanceof LockError ? error.code : null, error });
    }
  }

  private get durationMs(): number {
    return this.environment.clock.now() - this.startedMs;
  }
}
