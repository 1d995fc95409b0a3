import type { ClientLine } from '../servers/server-fleet.ts';
import { SerialQueue } from '../serial-queue.ts';

interface Line {
  readonly line: ClientLine;
  readonly queue: SerialQueue;
  readonly unpluggedBy: Set<number>;
}

/** The lines of clients to nodes: each is unplugged as long as any fault wants it so. */
export class ClientLines {
  private readonly lines: ReadonlyMap<string, Line>;

  constructor(lines: ReadonlyMap<string, ClientLine>) {
    this.lines = new Map(
      [...lines].map(([node, line]) => [node, { line, queue: new SerialQueue(), unpluggedBy: new Set<number>() }]),
    );
  }

  /** Resolves once nothing passes between clients and the node; at once if it has no line of its own. */
  async unplug(node: string, fault: number): Promise<void> {
    const known = this.lines.get(node);
    await known?.queue.run(async () => {
      known.unpluggedBy.add(fault);
      if (known.unpluggedBy.size === 1) await known.line.unplug();
    });
  }

  /** Resolves once the fault does not keep the line unplugged any more, and, if no other does, it carries again. */
  async plug(node: string, fault: number): Promise<void> {
    const known = this.lines.get(node);
    await known?.queue.run(async () => {
      if (known.unpluggedBy.delete(fault) && known.unpluggedBy.size === 0) await known.line.plug();
    });
  }
}
