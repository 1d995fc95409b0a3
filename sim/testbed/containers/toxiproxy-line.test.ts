import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Toxiproxy } from 'toxiproxy-node-client';
import { realScenario, RealStory } from '../real/real-testing.ts';
import type { ClientLine } from '../real/servers/server-fleet.ts';
import { countRemains, TestFleet, whyNoContainers } from './container-testing.ts';
import { containersTestbed } from './containers-testbed.ts';
import { connectDocker } from './docker.ts';

const obstacle = await whyNoContainers();
/** When the faults of n1 are over, and when those of n2 are. */
const AFTER_N1 = { event: 'fault-ended', nth: 3 } as const;
const AFTER_N2 = { event: 'fault-ended', nth: 5 } as const;
const PATIENCE = { timeout: 10_000 };
const title = obstacle === null ? 'a line to a node, in containers' : `a line to a node, in containers: ${obstacle}`;

describe.skipIf(obstacle !== null)(title, { timeout: 60_000 }, () => {
  afterAll(async () => {
    expect(await countRemains()).toBe(0);
  });

  describe('of a fleet', () => {
    let test: TestFleet;
    let line: ClientLine;
    let port: number;

    beforeAll(async () => {
      test = await TestFleet.start({ lineNames: ['n1'] });
      line = test.fleet.lines.get('n1') as ClientLine;
      const { listen } = await new Toxiproxy(test.fleet.toxiproxyUrl).get('n1');
      ({ port } = test.fleet.proxyAddress(0, listen));
    });

    afterAll(() => test.close());

    /** Connects by the line, and sends a PING as soon as that is done. */
    function dial(): { readonly socket: Socket; readonly connected: Promise<unknown>; readonly heard: () => string } {
      const socket = connect({ host: line.host, port });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      let text = '';
      socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      return { socket, connected: once(socket, 'connect'), heard: () => text };
    }

    /** Long enough for many answers: so often the server is asked by another way. */
    async function askElsewhere(): Promise<void> {
      for (let turn = 0; turn < 50; turn += 1) await test.client('n1').ping();
    }

    it('is a network more, and an address by which Toxiproxy is reached', async () => {
      // Three containers, their network, and the line.
      expect(await countRemains()).toBe(5);
      expect([...test.fleet.lines.keys()]).toEqual(['n1']);
      const { socket, connected, heard } = dial();
      await connected;
      socket.write('PING\r\n');
      await vi.waitUntil(() => heard() === '+PONG\r\n', PATIENCE);
    });

    it('carries nothing while it is unplugged: who is connected hears nothing, who connects waits, and nobody is told', async () => {
      const open = dial();
      await open.connected;
      let isClosed = false;
      open.socket.on('close', () => (isClosed = true));
      await line.unplug();
      open.socket.write('PING\r\n');
      const late = dial();
      let isConnected = false;
      void late.connected.then(() => (isConnected = true));
      await askElsewhere();
      expect([open.heard(), isClosed, isConnected, late.socket.connecting]).toEqual(['', false, false, true]);
      const { host } = line;
      await line.plug();
      expect(line.host).toBe(host);
      const next = dial();
      await next.connected;
      next.socket.write('PING\r\n');
      await vi.waitUntil(() => next.heard() === '+PONG\r\n', PATIENCE);
      // The network has nothing lost for good: TCP sends it again. That a run cuts the route too is why it is lost there.
      await vi.waitUntil(() => open.heard() === '+PONG\r\n', PATIENCE);
    });
  });

  it('stays unplugged while a replica takes the place of its node, and leads to that afterwards', async () => {
    const history = await containersTestbed.run(
      realScenario({
        settings: { nodes: 1, ttl: '300ms' },
        nodes: { replica: true },
        faults: [
          { fault: 'partition', nodes: 'n1', at: '300ms', for: '4s' },
          { fault: 'promotion', nodes: 'n1', after: { event: 'fault-started', kind: 'partition', delay: '100ms' } },
        ],
        limit: '8s',
      }),
      { seed: 1 },
    );
    const story = RealStory.of(history);
    const partition = story.started('partition');
    const [ended] = story.all('fault-ended', { fault: partition.fault });
    const { timeUs: promotedUs } = story.one('node-restarted', { node: 'n1' });
    expect(promotedUs).toBeGreaterThan(partition.timeUs);
    expect(promotedUs).toBeLessThan(ended?.timeUs ?? 0);
    expect(story.between(partition.timeUs / 1000, (ended?.timeUs ?? 0) / 1000).all('command-executed')).toEqual([]);
    for (const client of ['A', 'B']) expect(story.grantedAfter(ended?.timeUs ?? 0, client, 'n1')).toBeDefined();
  });

  describe('in a run', () => {
    let story: RealStory;
    const connects = new Map<string, number>();

    beforeAll(async () => {
      const { engine } = await connectDocker();
      const stream = await engine.getEvents({ filters: { type: ['network'], event: ['connect'] } });
      let text = '';
      stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      const history = await containersTestbed.run(
        realScenario({
          faults: [
            { fault: 'partition', nodes: 'n1', at: '300ms', for: '800ms' },
            { fault: 'partition', nodes: 'n1', at: '500ms', for: '300ms' },
            // Long enough for B to connect anew before it ends, which a busy machine takes seconds for.
            { fault: 'partition', clients: 'A', nodes: 'n1', direction: 'request', at: '600ms', for: '4s' },
            { fault: 'partition', clients: ['A', 'B'], nodes: 'n2', after: { ...AFTER_N1, delay: '300ms' }, for: '4s' },
            { fault: 'crash', nodes: 'n2', after: { ...AFTER_N1, delay: '500ms' }, for: '200ms' },
            { fault: 'server-pause', nodes: 'n3', after: { ...AFTER_N2, delay: '300ms' }, for: '600ms' },
            { fault: 'partition', nodes: 'n3', after: { ...AFTER_N2, delay: '500ms' }, for: '200ms' },
          ],
          limit: '15s',
        }),
        { seed: 1 },
      );
      (stream as unknown as { destroy(): void }).destroy();
      for (const [, node = ''] of text.matchAll(/-line-(n\d)"/g)) connects.set(node, (connects.get(node) ?? 0) + 1);
      story = RealStory.of(history);
    });

    it('is unplugged once for all partitions that overlap, and plugged again by the last', () => {
      // The first time is when it is laid.
      expect(Object.fromEntries(connects)).toEqual({ n1: 2, n2: 2, n3: 2 });
    });

    it('makes a partition that loses every message, and says which fault did it', () => {
      const partition = story.started('partition', 0);
      for (const client of ['A', 'B']) {
        const commands = story.sentDuring(partition, 800, client, 'n1');
        expect(commands.length).toBeGreaterThan(2);
        for (const { command } of commands) {
          expect(story.executionOf({ command })).toBeUndefined();
          expect(story.all('message-lost', { command, node: 'n1' })).toMatchObject([
            { client, direction: 'request', fault: partition.fault },
          ]);
        }
      }
      // Nothing came late either.
      expect(story.events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'completed' });
    });

    it('leaves a partition of one client in force that lasts longer', () => {
      const own = story.started('partition', 2);
      const [ended] = story.all('fault-ended', { fault: story.started('partition', 0).fault });
      const [over] = story.all('fault-ended', { fault: own.fault });
      const back = story.grantedAfter(ended?.timeUs ?? 0, 'B', 'n1');
      expect(back?.timeUs).toBeLessThan(over?.timeUs ?? 0);
      const between = story.between((ended?.timeUs ?? 0) / 1000, (over?.timeUs ?? 0) / 1000);
      expect(between.all('command-executed', { client: 'A', node: 'n1' })).toEqual([]);
      expect(story.grantedAfter(over?.timeUs ?? 0, 'A', 'n1')).toBeDefined();
    });

    it('goes with a crash, a restart and a pause of the node', () => {
      const [cut] = story.all('fault-ended', { fault: story.started('partition', 3).fault });
      const { timeUs: restartedUs } = story.one('node-restarted', { node: 'n2' });
      expect(restartedUs).toBeLessThan(cut?.timeUs ?? 0);
      const dark = story.between(restartedUs / 1000, (cut?.timeUs ?? 0) / 1000);
      expect(dark.all('command-executed', { node: 'n2' })).toEqual([]);
      const { timeUs: resumedUs } = story.one('node-resumed', { node: 'n3' });
      for (const client of ['A', 'B']) {
        expect(story.grantedAfter(cut?.timeUs ?? 0, client, 'n2')).toBeDefined();
        expect(story.grantedAfter(resumedUs, client, 'n3')).toBeDefined();
      }
    });
  });
});
