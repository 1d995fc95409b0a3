import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import { ObservedLog } from '../history/observed-log.ts';
import type { Fault } from '../scenario/fault-schema.ts';
import { type AimedFault, type FaultWorld, type Heal, Nemesis } from './nemesis.ts';

/** A world without clocks: what is scheduled runs when a test lets that time come. */
class World implements FaultWorld {
  readonly log = new ObservedLog();
  readonly clients = ['A', 'B'];
  readonly nodes = ['n1', 'n2', 'n3'];
  readonly injected: AimedFault[] = [];
  readonly healed: number[] = [];
  readonly failures: string[] = [];
  holder: string | null = null;
  dead: readonly string[] = [];
  private nowMs = 0;
  private scheduled: { readonly dueMs: number; readonly run: () => void }[] = [];

  timeUs(): number {
    return this.nowMs * 1000;
  }

  schedule(delayMs: number, run: () => void): void {
    this.scheduled.push({ dueMs: this.nowMs + delayMs, run });
  }

  newestLease(): { client: string; key: string; value: string } | null {
    return this.holder === null ? null : { client: this.holder, key: 'k', value: 'v' };
  }

  holds(): boolean {
    return false;
  }

  inject(aimed: AimedFault, begun: (nodes: readonly string[]) => void): ReturnType<FaultWorld['inject']> {
    this.injected.push(aimed);
    begun(aimed.nodes.filter((node) => !this.dead.includes(node)));
    return this.healOf(aimed);
  }

  healOf({ fault, number }: AimedFault): Heal | null {
    return fault.fault === 'flush' ? null : () => void this.healed.push(number);
  }

  fail(error: Error): void {
    this.failures.push(error.message);
  }

  passUntil(timeMs: number): void {
    for (;;) {
      const [next] = this.scheduled
        .filter(({ dueMs }) => dueMs <= timeMs)
        .sort((one, other) => one.dueMs - other.dueMs);
      if (next === undefined) break;
      this.scheduled = this.scheduled.filter((other) => other !== next);
      this.nowMs = next.dueMs;
      next.run();
    }
    this.nowMs = timeMs;
  }

  events(): HistoryEvent[] {
    return [...this.log.since(0)];
  }
}

function started(timeMs: number, fault: number, kind: string, targets: readonly string[]): unknown {
  return {
    type: 'fault-started',
    timeUs: timeMs * 1000,
    fault,
    kind,
    targets,
    description: expect.any(String) as string,
  };
}

function missed(timeMs: number, fault: number, kind: string, nodes: readonly string[]): HistoryEvent {
  return { type: 'fault-missed', timeUs: timeMs * 1000, fault, kind, nodes };
}

function ended(timeMs: number, fault: number): HistoryEvent {
  return { type: 'fault-ended', timeUs: timeMs * 1000, fault };
}

function start(...faults: Fault[]): { world: World; nemesis: Nemesis } {
  return startIn(new World(), ...faults);
}

function startIn<Of extends World>(world: Of, ...faults: Fault[]): { world: Of; nemesis: Nemesis } {
  const nemesis = new Nemesis(world);
  nemesis.start(faults);
  return { world, nemesis };
}

describe('Nemesis', () => {
  it('begins each fault at its moment, numbers them as they begin, and heals each in its time', () => {
    const { world } = start(
      { fault: 'server-pause', nodes: 'n1', at: 50, for: 100 },
      { fault: 'client-pause', clients: ['A', 'B'], at: 20, for: 10 },
    );
    world.passUntil(1000);
    expect(world.events()).toEqual([
      started(20, 1, 'client-pause', ['A', 'B']),
      ended(30, 1),
      started(50, 2, 'server-pause', ['n1']),
      ended(150, 2),
    ]);
    expect(world.healed).toEqual([1, 2]);
    expect(world.injected.map(({ clients, nodes }) => [clients, nodes])).toEqual([
      [['A', 'B'], []],
      [[], ['n1']],
    ]);
  });

  it('ends what happens in an instant at once', () => {
    const { world } = start({ fault: 'flush', nodes: 'all', at: 5 });
    world.passUntil(10);
    expect(world.events()).toEqual([started(5, 1, 'flush', ['n1', 'n2', 'n3']), ended(5, 1)]);
  });

  it('finds out who is meant when the fault begins', () => {
    const { world } = start({ fault: 'client-pause', clients: 'holder', at: 5, for: 1 });
    world.holder = 'B';
    world.passUntil(10);
    expect(world.events()[0]).toEqual(started(5, 1, 'client-pause', ['B']));
  });

  it('tells that a fault was missed which is aimed at nobody, and does not make it', () => {
    const { world } = start({ fault: 'client-pause', clients: 'holder', for: 5 });
    world.passUntil(10);
    expect(world.events()).toEqual([missed(0, 1, 'client-pause', [])]);
    expect(world.injected).toEqual([]);
  });

  it('tells that a fault was missed which acts on none of its nodes, and otherwise on which it acts', () => {
    const { world } = start(
      { fault: 'server-pause', nodes: 'n1', at: 1, for: 5 },
      { fault: 'server-pause', nodes: ['n1', 'n2'], at: 2, for: 5 },
    );
    world.dead = ['n1'];
    world.passUntil(10);
    expect(world.events()).toEqual([
      missed(1, 1, 'server-pause', ['n1']),
      started(2, 2, 'server-pause', ['n2']),
      ended(7, 2),
    ]);
    expect(world.healed).toEqual([2]);
  });

  it('names everybody where a whole network is partitioned', () => {
    const { world } = start({ fault: 'partition-shape', shape: 'ring' });
    world.passUntil(1);
    expect(world.events()[0]).toEqual(started(0, 1, 'partition-shape', ['A', 'B', 'n1', 'n2', 'n3']));
  });

  it('heals once all that lasts, and nothing of it a second time when its time comes', () => {
    const { world, nemesis } = start(
      { fault: 'server-pause', nodes: 'n1', for: 100 },
      { fault: 'server-pause', nodes: 'n2' },
      { fault: 'server-pause', nodes: 'n3', for: 10 },
    );
    world.passUntil(50);
    nemesis.healAll();
    nemesis.healAll();
    world.passUntil(500);
    expect(world.healed).toEqual([3, 1, 2]);
    expect(world.events().slice(3)).toEqual([ended(10, 3), ended(50, 1), ended(50, 2)]);
  });

  it('calls off what has not begun when it heals all', () => {
    const { world, nemesis } = start(
      { fault: 'server-pause', nodes: 'n1', at: 100 },
      { fault: 'server-pause', nodes: 'n2', after: { event: 'client-paused' } },
    );
    nemesis.healAll();
    world.log.record({ type: 'client-paused', timeUs: 0, client: 'A' });
    world.passUntil(1000);
    expect(world.injected).toEqual([]);
  });
});

/** A world in which each fault takes until the test lets it happen, and each healing takes a moment. */
class SlowWorld extends World {
  private readonly waiting: (() => void)[] = [];

  override async inject(aimed: AimedFault, begun: (nodes: readonly string[]) => void): Promise<Heal | null> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    const { nodes } = aimed;
    if (nodes.includes('n3')) throw new Error('n3 cannot be paused');
    this.injected.push(aimed);
    begun(nodes);
    const heal = this.healOf(aimed);
    return heal === null
      ? null
      : async () => {
          await Promise.resolve();
          if (nodes.includes('n2')) throw new Error('n2 cannot go on');
          return heal();
        };
  }

  letHappen(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

describe('Nemesis in a world that takes its time', () => {
  it('tells that a fault began when it is in force, that it ended when it is healed, and counts its time in between', async () => {
    const { world, nemesis } = startIn(new SlowWorld(), { fault: 'server-pause', nodes: 'n1', for: 50 });
    world.passUntil(10);
    expect(world.events()).toEqual([]);
    world.letHappen();
    await nemesis.settled();
    expect(world.events()).toEqual([started(10, 1, 'server-pause', ['n1'])]);
    world.passUntil(59);
    await nemesis.settled();
    expect(world.healed).toEqual([]);
    world.passUntil(60);
    expect(world.events()).toHaveLength(1);
    await nemesis.settled();
    expect(world.events().slice(1)).toEqual([ended(60, 1)]);
    expect(world.healed).toEqual([1]);
  });

  it('tells of faults that cannot be made, and of faults that cannot be healed', async () => {
    const { world, nemesis } = startIn(
      new SlowWorld(),
      { fault: 'server-pause', nodes: 'n3' },
      { fault: 'server-pause', nodes: 'n2', for: 5 },
    );
    world.passUntil(0);
    world.letHappen();
    await nemesis.settled();
    expect(world.failures).toEqual(['n3 cannot be paused']);
    world.passUntil(10);
    await nemesis.settled();
    expect(world.failures).toEqual(['n3 cannot be paused', 'n2 cannot go on']);
    expect(world.events()).toEqual([started(0, 2, 'server-pause', ['n2'])]);
  });
});
