import type { HistoryEvent } from '../../../history/event.ts';
import { ProtectedResource } from '../../../workload/protected-resource.ts';
import { RESOURCE_PREFIX, WRITE_SCRIPT } from '../resource-script.ts';
import { ServerConnection, type ServerConnectionOptions, type ServerWatcher } from './server-connection.ts';

export interface ResourceObserverOptions extends Omit<ServerConnectionOptions, 'watcher' | 'hasSteadyClock'> {
  readonly record: (event: HistoryEvent) => void;
}

/** What the script stores of a write. */
const FIELDS = ['write', 'lease', 'client', 'token'] as const;

type Stored = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>;

/** Sees which writes reach the protected resource, in which order, and what becomes of them. */
export class ResourceObserver implements ServerWatcher {
  readonly connection: ServerConnection;
  private readonly model = new ProtectedResource();
  private readonly record: (event: HistoryEvent) => void;
  /** By key: what the writes that it took have left there. */
  private readonly stored = new Map<string, Stored>();

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
    if (!reply.accepted) {
      this.record({ type: 'write-refused', ...facts, largestToken: reply.largestToken });
      return;
    }
    const stored = { ...this.stored.get(key), write, lease, client };
    this.stored.set(key, token === null ? stored : { ...stored, token: tokenText });
    this.record({ type: 'write-accepted', ...facts });
  }

  /** Resolves to where the resource has stored something else than it was seen to, in a sentence; null if nowhere. */
  async findMismatch(): Promise<string | null> {
    const mismatches = await Promise.all([...this.stored.keys()].map((key) => this.mismatchOf(key)));
    return mismatches.find((mismatch) => mismatch !== null) ?? null;
  }

  private async mismatchOf(key: string): Promise<string | null> {
    let expected: readonly (string | null)[] = [];
    const answer = await this.connection.call(['HMGET', key, ...FIELDS], () => {
      const stored = this.stored.get(key);
      expected = FIELDS.map((field) => stored?.[field] ?? null);
    });
    const [is, hadToBe] = [answer as readonly (string | null)[], expected].map((values) =>
      FIELDS.map((field, index) => `${field} ${values[index] ?? 'none'}`).join(', '),
    );
    if (is === hadToBe) return null;
    return `the resource has stored ${is} for ${key.slice(RESOURCE_PREFIX.length)}, but by what was seen of it that had to be ${hadToBe}`;
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
