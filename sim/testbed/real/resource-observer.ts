import type { HistoryEvent } from '../../history/event.ts';
import { ProtectedResource } from '../../workload/protected-resource.ts';
import type { Address } from './client-messages.ts';
import { RESOURCE_PREFIX, WRITE_SCRIPT } from './resource-store.ts';
import { ServerConnection } from './server-connection.ts';

/** Sees which writes reach the protected resource, in which order, and what becomes of them. */
export class ResourceObserver {
  readonly connection: ServerConnection;
  private readonly model = new ProtectedResource();
  private readonly nowUs: () => number;
  private readonly record: (event: HistoryEvent) => void;

  constructor(address: Address, nowUs: () => number, record: (event: HistoryEvent) => void) {
    this.nowUs = nowUs;
    this.record = record;
    this.connection = new ServerConnection(address, (args) => {
      this.follow(args);
    });
  }

  private follow([
    name = '',
    script,
    ,
    key = '',
    write = '',
    lease = '',
    tokenText = '',
    client = '',
  ]: readonly string[]): void {
    if (name.toLowerCase() !== 'eval' || script !== WRITE_SCRIPT) return;
    const token = tokenText === '' ? null : Number(tokenText);
    const resource = key.slice(RESOURCE_PREFIX.length);
    const reply = this.model.write({ write: Number(write), lease: Number(lease), resource, token });
    const facts = { timeUs: this.nowUs(), client, write: Number(write), lease: Number(lease), resource, token };
    if (reply.accepted === true) this.record({ type: 'write-accepted', ...facts });
    else if (reply.accepted === false)
      this.record({ type: 'write-refused', ...facts, largestToken: reply.largestToken });
  }
}
