import { describe, expect, it } from 'vitest';
import { DistinctServers, type DuplicateServer } from './distinct-servers.ts';

/** A connection that a test leads where it wants. */
class Way {
  serverIds: readonly string[] = [];
  isServerKnown = false;

  leadTo(...ids: string[]): void {
    this.serverIds = ids;
    this.isServerKnown = true;
  }

  lose(): void {
    this.isServerKnown = false;
  }
}

interface World {
  readonly ways: readonly Way[];
  /** Whose server each node's is, as the nodes' own ids where it is theirs. */
  readonly owners: () => string[];
  readonly find: () => DuplicateServer | null;
  readonly vote: (node: number, untilMs: number) => void;
  nowMs: number;
}

function worldOf(...nodes: string[]): World {
  const servers = new DistinctServers();
  const ways = nodes.map(() => new Way());
  const members = nodes.map((node, index) => servers.add(node, ways[index] as Way));
  const world: World = {
    ways,
    owners: () => nodes.map((node, index) => members[index]?.findDuplicate(() => world.nowMs)?.nodes[0] ?? node),
    find: () => servers.find(),
    vote: (node, untilMs) => members[node]?.noteVote(untilMs),
    nowMs: 0,
  };
  return world;
}

describe('servers that must be distinct', () => {
  it('are, while each node leads to one of its own, or is not known to lead anywhere', () => {
    const { ways, owners, find } = worldOf('a', 'b', 'c');
    expect(owners()).toEqual(['a', 'b', 'c']);
    ways[0]?.leadTo('1');
    ways[1]?.leadTo('2');
    expect(owners()).toEqual(['a', 'b', 'c']);
    expect(find()).toBeNull();
  });

  it('belong to the node that led there first, whatever its place', () => {
    const { ways, owners, find } = worldOf('a', 'b', 'c');
    ways[2]?.leadTo('1');
    expect(owners()).toEqual(['a', 'b', 'c']);
    ways[0]?.leadTo('1');
    expect(owners()).toEqual(['c', 'b', 'c']);
    expect(find()).toEqual({ nodes: ['c', 'a'], serverId: '1' });
    ways[1]?.leadTo('1');
    expect(owners()).toEqual(['c', 'c', 'c']);
  });

  it('stay with a node that lost its connection, and may have voted, but are then no reason to refuse a lock', () => {
    const { ways, owners, find } = worldOf('a', 'b');
    ways[1]?.leadTo('1');
    expect(owners()).toEqual(['a', 'b']);
    ways[1]?.lose();
    ways[0]?.leadTo('1');
    expect(owners()).toEqual(['b', 'b']);
    expect(find()).toBeNull();
    ways[1]?.leadTo('1');
    expect(owners()).toEqual(['b', 'b']);
    expect(find()).toEqual({ nodes: ['b', 'a'], serverId: '1' });
  });

  it('are nobody else’s while a vote may be counted that they gave to a node which has left them, and then again its own', () => {
    const world = worldOf('a', 'b');
    const { ways, owners, find, vote } = world;
    ways[0]?.leadTo('1');
    expect(owners()).toEqual(['a', 'b']);
    vote(0, 50);
    vote(0, 40);
    ways[0]?.leadTo('2');
    ways[1]?.leadTo('1');
    expect(owners()).toEqual(['a', 'a']);
    // They are not one server now.
    expect(find()).toBeNull();
    world.nowMs = 49;
    expect(owners()).toEqual(['a', 'a']);
    ways[1]?.leadTo('3');
    ways[0]?.leadTo('1');
    expect(owners()).toEqual(['a', 'b']);
    ways[0]?.leadTo('2');
    ways[1]?.leadTo('1');
    expect(owners()).toEqual(['a', 'a']);
    world.nowMs = 50;
    expect(owners()).toEqual(['a', 'b']);
  });

  it('are another node’s once their owner leads elsewhere', () => {
    const { ways, owners, find } = worldOf('a', 'b', 'c');
    for (const way of ways) way.leadTo('1');
    expect(owners()).toEqual(['a', 'a', 'a']);
    ways[0]?.leadTo('2');
    expect(owners()).toEqual(['a', 'b', 'b']);
    ways[2]?.leadTo('3');
    expect(owners()).toEqual(['a', 'b', 'c']);
    expect(find()).toBeNull();
  });

  it('are the same cluster if they share one server', () => {
    const { ways, owners, find } = worldOf('a', 'b', 'c');
    ways[0]?.leadTo('1', '2');
    ways[1]?.leadTo('2', '3');
    ways[2]?.leadTo('3', '4');
    // What is refused a vote takes none away from others.
    expect(owners()).toEqual(['a', 'a', 'c']);
    expect(find()).toEqual({ nodes: ['a', 'b'], serverId: '2' });
    ways[0]?.leadTo('2', '5');
    expect(owners()).toEqual(['a', 'a', 'c']);
  });
});
