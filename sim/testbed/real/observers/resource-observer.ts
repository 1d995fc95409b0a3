import type { HistoryEvent } from '../../../history/event.ts';
import { ProtectedResource } from '../../../workload/protected-resource.ts';
import { RESOURCE_PREFIX, WRITE_SCRIPT } from '../resource-script.ts';
import { ServerConnection, type ServerConnectionOptions, type ServerWatcher } from './server-connection.ts';

export interface ResourceObserverOptions extends Omit<ServerConnectionOptions, 'watcher' | 'hasSteadyClock'> {
  readonly record: (event: HistoryEvent) => void;
}

/** Sees which writes reach the protected resource, in which order, and what becomes of them. */
export class ResourceObserver implements ServerWatcher {
  readonly connection: ServerConnection;
  private readonly model = new ProtectedResource();
  private readonly record: (event: HistoryEvent) => void;

  constructor({ record, ...connection }: ResourceObserverOptions) {
    this.record = record;
    this.connection = new ServerConnection({ ...connection, hasSteadyClock: true, watcher: this });
  }

  onCommand(
    [name = '', script, , key = '', write = '', lease = '', tokenText = '', client = '']: readonly string[],
    _wallMs: number,
    timeUs: number,
  ): void {
    if (name.toLowerCase() !== 'eval' || script !== WRITE_SCRIPT) return;
    const token = tokenText === '' ? null : Number(tokenText);
    const resource = key.slice(RESOURCE_PREFIX.length);
    const reply = this.model.write({ write: Number(write), lease: Number(lease), resource, token });
    const facts = { timeUs, client, write: Number(write), lease: Number(lease), resource, token };
    if (reply.accepted === true) this.record({ type: 'write-accepted', ...facts });
    else if (reply.accepted === false)
      this.record({ type: 'write-refused', ...facts, largestToken: reply.largestToken });
  }

  onScriptedCommand(): void {
    // What it does follows from the script.
  }

  onKeyGone(): void {
    // What is written there has no end.
  }

  onEnd(): void {
    // Nothing is held back.
  }
}
