import { describe, expect, it } from 'vitest';
import { ModelNode, type ModelNodeSettings } from './model-node.ts';
import type { CrashKind } from './persistence.ts';

const GUARD = { markerKey: 'marker', quarantineKey: 'quarantine', quarantineMs: 100 };

/** A model node that clients lock with the restart guard; its clock shows the milliseconds of true time. */
class GuardedNode {
  readonly model: ModelNode;
  private timeMs = 0;

  constructor(settings: Partial<ModelNodeSettings> = {}) {
    const all = { persistence: 'none', maxmemoryPolicy: 'noeviction', replicaHorizonUs: 0, ...settings } as const;
    this.model = new ModelNode(all, 0, () => undefined);
    this.admit('run 1');
  }

  at(timeMs: number): this {
    this.timeMs = timeMs;
    return this;
  }

  admit(runId: string): string {
    const command = { kind: 'admit', key: 'marker', quarantineKey: 'quarantine', timeoutMs: 0 } as const;
    return this.model.execute(command, this.timeMs, this.timeMs * 1000, runId).kind;
  }

  ask(runId: string): string {
    const plain = { kind: 'acquire', key: 'k', value: 'v', ttlMs: 10, timeoutMs: 0, fresh: true } as const;
    const command = { ...plain, tokenHint: null, guard: GUARD };
    return this.model.execute(command, this.timeMs, this.timeMs * 1000, runId).kind;
  }

  crash(how: CrashKind): this {
    this.model.crash(how, this.timeMs, this.timeMs * 1000);
    this.model.restart(this.timeMs);
    return this;
  }
}

describe('a guarded node', () => {
  it.each(['none', 'aof-always'] as const)(
    'is in quarantine from when its restart is noticed, with disk %s',
    (persistence) => {
      const node = new GuardedNode({ persistence });
      expect(node.ask('run 1')).toBe('granted');
      node.at(500).crash('kill').at(1000);
      expect(node.ask('run 2')).toBe('quarantined');
      expect(node.at(1100).ask('run 2')).toBe('quarantined');
      expect(node.at(1101).ask('run 2')).toBe('granted');
    },
  );

  it('that crashes in its quarantine begins another', () => {
    const node = new GuardedNode({ persistence: 'aof-always' });
    node.crash('kill');
    node.ask('run 2');
    node.at(50).crash('kill');
    expect(node.ask('run 3')).toBe('quarantined');
    expect(node.at(101).ask('run 3')).toBe('quarantined');
    expect(node.at(151).ask('run 3')).toBe('granted');
  });

  it('that loses power forgets what it was told of its run as it forgets locks', () => {
    const node = new GuardedNode({ persistence: 'aof-everysec' });
    node.at(1100).crash('kill');
    node.ask('run 2');
    node.at(1200).crash('power-loss');
    // On disk is the mark of the first run; its quarantine is forgotten, but so is that run.
    expect(node.ask('run 1')).toBe('granted');
    expect(node.ask('run 3')).toBe('quarantined');
  });

  it('that was flushed, or promoted with whatever lag, is in quarantine', () => {
    const flushed = new GuardedNode();
    flushed.model.flush(0, 0);
    expect(flushed.ask('run 1')).toBe('quarantined');
    for (const sinceUs of [Number.NEGATIVE_INFINITY, 0, 1]) {
      const promoted = new GuardedNode({ replicaHorizonUs: 10 });
      promoted.model.promote(sinceUs, 0);
      expect(promoted.ask('the replica')).toBe('quarantined');
      expect(promoted.at(101).ask('the replica')).toBe('granted');
    }
  });

  it('loses the quarantine to an eviction of what has an expiry, and the marker only to one of everything', () => {
    const volatile = new GuardedNode({ maxmemoryPolicy: 'volatile-lru' });
    const any = new GuardedNode({ maxmemoryPolicy: 'allkeys-lru' });
    for (const node of [volatile, any]) {
      node.ask('run 2');
      node.model.pressure(Number.POSITIVE_INFINITY, 0, 0, () => 0);
    }
    expect(volatile.ask('run 2')).toBe('granted');
    expect(any.ask('run 2')).toBe('quarantined');
    any.at(101).ask('run 2');
    any.model.pressure(1, 101, 0, () => 0);
    expect(any.ask('run 2')).toBe('granted');
  });

  it('that is full cannot be marked, and so grants nothing', () => {
    const node = new GuardedNode();
    node.model.pressure(0, 0, 0, () => 0);
    expect(node.ask('run 2')).toBe('failed');
    expect(node.admit('run 2')).toBe('failed');
    node.model.relieve();
    expect(node.ask('run 2')).toBe('quarantined');
    expect(node.admit('run 2')).toBe('admitted');
    expect(node.ask('run 2')).toBe('granted');
  });
});
