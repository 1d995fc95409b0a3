import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RELEASED } from '../../../src/lock-node.ts';
import { judge } from '../../judge/judge.ts';
import type { HistoryEvent } from '../../history/event.ts';
import { eventsOf } from '../../history/events-of.ts';
import { decodeHistory } from '../../history/ndjson.ts';
import { ProtectedResource } from '../../workload/protected-resource.ts';
import { ModelNode } from '../model-node/model-node.ts';
import { createProcessesTestbed } from '../processes/processes-testbed.ts';
import type { ScenarioInput } from '../simulated/simulated-testing.ts';
import type { RunOptions } from '../testbed.ts';
import { ResourceObserver } from './observers/resource-observer.ts';
import { BUSY, realScenario, realStory, RealStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();

/** What others write and do is only seen by looking. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The processes that this one has started, or a process that it started, by what they run; but for the reaper and its like. */
function offspring(ofPid = process.pid): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (Number(parent) !== ofPid || !/redis-server|toxiproxy|client\.mjs/.test(command)) return [];
        return [{ pid: Number(name), command }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}

function runFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('distrilock-'));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const LONG: Partial<ScenarioInput> = { limit: '60s' };

/** A run that nothing but an interruption or a failure ends, from when its workload goes on. */
async function begun(options: Partial<RunOptions> = {}, changes = LONG): Promise<{ ended: Promise<RealStory> }> {
  let goOn: () => void = () => undefined;
  const goesOn = new Promise<void>((resolve) => (goOn = resolve));
  const ended = realStory(changes, {
    ...options,
    onStep: (step) => {
      if (step === 'the scenario goes on') goOn();
    },
  });
  ended.catch(() => undefined);
  await Promise.race([goesOn, ended]);
  return { ended };
}

describe.skipIf(obstacle !== null)(`a real run${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  const { TMPDIR: usualFolder } = process.env;

  beforeEach(() => {
    // Of its own, for other runs of this machine have theirs in the usual one.
    process.env['TMPDIR'] = mkdtempSync(join(tmpdir(), 'distrilock-tests-'));
  });

  afterEach(() => {
    vi.restoreAllMocks();
    const leftOvers = [...offspring().map(({ command }) => command), ...runFolders()];
    rmSync(tmpdir(), { recursive: true });
    if (usualFolder === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usualFolder;
    expect(leftOvers).toEqual([]);
  });

  it(
    'is in order, begins with what a reader must know of it, and demands progress in the end',
    { timeout: 30_000 },
    async () => {
      const scenario = realScenario({
        settings: { nodes: 3, ttl: '300ms', clockDriftFactor: 0.02, fencing: true },
        workload: [
          {
            repeat: 20,
            steps: [{ acquire: { resource: 'shared', retryCount: -1, retryDelay: '5ms' } }, 'write', 'release'],
          },
        ],
        faults: [{ fault: 'crash', nodes: 'n3', at: '0ms' }],
        expect: { 'mutual-exclusion': 'ok', 'deadlock-freedom': 'ok', availability: 'ok' },
      });
      const stretches: HistoryEvent[] = [];
      let goesOnMs = 0;
      const history = await createProcessesTestbed().run(scenario, {
        seed: 5,
        onEvents: (events) => stretches.push(...events),
        onStep: () => (goesOnMs = performance.now()),
      });
      const tookUs = (performance.now() - goesOnMs) * 1000;
      const story = RealStory.of(history);
      expect(story.events[0]).toMatchObject({
        type: 'run-started',
        timeUs: 0,
        backend: 'processes',
        seed: 5,
        clients: ['A', 'B'],
        nodes: ['n1', 'n2', 'n3'],
        quorum: 2,
        longestTtlMs: 300,
        clockDriftFactor: 0.02,
        fencing: true,
      });
      expect(story.events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'completed' });
      expect(stretches).toEqual(story.events);
      const times = story.events.map(({ timeUs }) => timeUs);
      expect(times).toEqual([...times].sort((one, other) => one - other));
      expect(times.every(Number.isInteger)).toBe(true);
      // Time counts from when everything is ready, and what is wrong from the beginning is wrong before anybody acts.
      const crashed = story.events.findIndex(({ type }) => type === 'node-crashed');
      expect(crashed).toBeLessThan(story.events.findIndex(({ type }) => type === 'acquire-invoked'));
      expect(story.events.at(-1)?.timeUs).toBeLessThan(tookUs);
      const { timeUs: healedUs } = story.one('healed');
      expect(story.first('acquire-granted', { phase: 'probe' }).timeUs - healedUs).toBeGreaterThanOrEqual(306_000);
      // Two of three must confirm a release in time, and one is dead: on a busy machine that may fail.
      expect(story.all('release-invoked')).toHaveLength(41);
      // Numbers of clients never clash.
      const commands = story.all('command-sent').map(({ command }) => command);
      expect(new Set(commands).size).toBe(commands.length);
      for (const { command } of story.all('reply-received'))
        expect(story.all('command-sent', { command })).toHaveLength(1);
      expect(judge(history, scenario, '').outcome).toBe('as-expected');
    },
  );

  it('is cut off by its limit: acquires end at once, scripts take no other step, faults that were to come do not', async () => {
    const story = await realStory({
      workload: [
        { clients: 'A', steps: [{ acquire: { resource: 'r', ttl: '1500ms' } }, { work: '500ms' }, 'write'] },
        {
          clients: 'B',
          at: '50ms',
          repeat: 3,
          steps: [{ acquire: { resource: 'r', retryCount: -1, retryDelay: '20ms' } }, 'release'],
        },
        { clients: 'B', at: '10s', steps: [{ acquire: { resource: 'late' } }] },
      ],
      faults: [
        { fault: 'client-pause', clients: 'A', at: '100ms' },
        { fault: 'crash', nodes: 'all', after: { event: 'acquire-granted', client: 'B' } },
      ],
      limit: '300ms',
    });
    const { timeUs: healedUs } = story.one('healed');
    expect(healedUs).toBeGreaterThanOrEqual(300_000);
    expect(story.all('acquire-failed', { phase: 'workload' })).toMatchObject([{ client: 'B', code: 'aborted' }]);
    expect(story.one('client-resumed', { client: 'A' }).timeUs).toBeLessThanOrEqual(healedUs);
    expect(story.all('write-sent')).toEqual([]);
    expect(story.all('node-crashed')).toEqual([]);
    expect(story.all('acquire-granted', { phase: 'probe' }).map(({ resource }) => resource)).toEqual(['r', 'late']);
  });

  it('aims at the holder of a lock, and at the nodes that hold a key', async () => {
    const story = await realStory({
      settings: { nodes: 5, ttl: '300ms' },
      workload: [
        { clients: 'A', steps: [{ acquire: { resource: 'a', ttl: '2s' } }, { work: '500ms' }] },
        {
          clients: 'B',
          after: { event: 'fault-started', nth: 2 },
          steps: [{ acquire: { resource: 'b', ttl: '2s' } }, { work: '300ms' }],
        },
      ],
      faults: [
        { fault: 'partition', clients: 'A', nodes: 'n1', at: '0ms' },
        { fault: 'client-pause', clients: 'holder', for: '50ms', after: { event: 'acquire-granted', delay: '100ms' } },
        {
          fault: 'client-pause',
          clients: 'holder',
          for: '50ms',
          after: { event: 'acquire-granted', client: 'B', delay: '100ms' },
        },
        { fault: 'reset', clients: 'B', nodes: { heldBy: 'A', count: 2 }, after: { event: 'fault-started', nth: 3 } },
        { fault: 'reset', clients: 'B', nodes: 'held', after: { event: 'fault-started', nth: 4 } },
      ],
      limit: '10s',
    });
    const targets = story.all('fault-started').map((event) => event.targets);
    expect(targets[0]).toEqual(['A', 'n1']);
    expect(targets[1]).toEqual(['A']);
    expect(targets[2]).toEqual(['B']);
    expect(targets[3]).toEqual(['B', 'n2', 'n3']);
    expect(targets[4]).toEqual(['B', 'n1', 'n2', 'n3', 'n4', 'n5']);
  });

  it('that was interrupted before it began starts nothing', async () => {
    const story = await realStory({}, { signal: AbortSignal.abort() });
    expect(story.events).toMatchObject([{ type: 'run-started' }, { type: 'run-ended', reason: 'interrupted' }]);
  });

  it('that is interrupted while servers start leaves none', async () => {
    const controller = new AbortController();
    const story = await realStory(LONG, { signal: controller.signal, onStep: () => controller.abort() });
    expect(story.events).toMatchObject([{ type: 'run-started' }, { type: 'run-ended', reason: 'interrupted' }]);
  });

  it('that is interrupted ends with what has happened', async () => {
    const controller = new AbortController();
    const { ended } = await begun(
      { signal: controller.signal },
      {
        ...LONG,
        faults: [
          { fault: 'server-pause', nodes: 'n1' },
          { fault: 'client-pause', clients: 'B' },
        ],
      },
    );
    controller.abort();
    const story = await ended;
    expect(story.events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'interrupted' });
    expect(story.all('healed')).toEqual([]);
  });

  it('whose client dies is lost, says so, and keeps what the client had written', async () => {
    const seen: HistoryEvent[] = [];
    const { ended } = await begun({ onEvents: (events) => seen.push(...events) });
    const [folder = ''] = runFolders();
    const file = join(tmpdir(), folder, 'parts', 'client-B.ndjson');
    await until(() => readFileSync(file, 'utf8').split('\n').length > 200);
    // Stopped first, so that its file is looked at as it dies.
    const client = offspring().find(({ command }) => command.includes('client.mjs B'))?.pid ?? 0;
    process.kill(client, 'SIGSTOP');
    await until(() => readFileSync(`/proc/${client}/stat`, 'utf8').includes(') T'));
    const written = decodeHistory(readFileSync(file, 'utf8'));
    process.kill(client, 'SIGKILL');
    await ended;
    expect(seen.at(-1)).toMatchObject({ type: 'run-ended', reason: 'lost: client B was killed by SIGKILL' });
    const own = (event: HistoryEvent): boolean =>
      'client' in event &&
      event.client === 'B' &&
      !['command-executed', 'write-accepted', 'message-lost'].includes(event.type);
    expect(seen.filter(own)).toEqual([...eventsOf(written)]);
    expect(seen.filter((event) => event.type === 'command-executed' && event.client === 'B').length).toBeGreaterThan(
      20,
    );
  });

  it.each([
    ['redis-server', 'SIGKILL', /^the redis-server of (n\d|resource) was killed by SIGKILL$/],
    ['redis-server', 'SIGTERM', /^the redis-server of (n\d|resource) ended with exit code 0; it printed: /],
    ['toxiproxy-server', 'SIGKILL', /^Toxiproxy was killed by SIGKILL$/],
  ] as const)('whose %s ends by %s is lost, and says so', async (program, signal, loss) => {
    const { ended } = await begun();
    const victim = offspring().find(({ command }) => command.includes(program));
    process.kill(victim?.pid ?? 0, signal);
    const { events } = await ended;
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'run-ended', reason: expect.stringMatching(/^lost: /) as string });
    expect(last?.type === 'run-ended' ? last.reason.slice('lost: '.length) : '').toMatch(loss);
  });

  it('is lost when Toxiproxy hangs, long before its limit', async () => {
    const { ended } = await begun({}, { ...LONG, faults: [{ fault: 'latency', nodes: 'n1', delay: '5ms', at: '3s' }] });
    const toxiproxy = offspring().find(({ command }) => command.includes('toxiproxy-server'));
    process.kill(toxiproxy?.pid ?? 0, 'SIGSTOP');
    expect((await ended).events.at(-1)).toMatchObject({
      type: 'run-ended',
      reason: 'lost: Toxiproxy has not answered within 10 s: it hangs',
    });
  });

  it('fails loudly when a reply is not the one that was concluded', async () => {
    const execute = vi.spyOn(ModelNode.prototype, 'execute');
    execute.mockReturnValueOnce(RELEASED);
    const run = realStory({ workload: [{ ...BUSY, clients: 'A', repeat: 5 }] });
    await expect(run).rejects.toThrow(
      /a defect of the testbed: n\d answered command \d+ of A \(acquire lock:A\) with granted, but by what was seen of it it had to answer released/,
    );
  });

  it('fails loudly when the protected resource did not decide as was concluded', async () => {
    const decide = vi.spyOn(ProtectedResource.prototype, 'write');
    decide.mockReturnValueOnce({ accepted: false, largestToken: 9 });
    const run = realStory({ workload: [{ ...BUSY, clients: 'A', repeat: 5 }] });
    await expect(run).rejects.toThrow(
      /a defect of the testbed: the resource answered write \d+ of A \(A\) with accepted, but by what was seen of it it had to answer refused/,
    );
  });

  it('fails loudly when the protected resource has not stored what it was seen to take', async () => {
    const find = vi.spyOn(ResourceObserver.prototype, 'findMismatch');
    find.mockResolvedValueOnce('the resource has stored something else');
    const run = realStory({ workload: [{ clients: 'A', steps: [{ rest: '1ms' }] }] });
    await expect(run).rejects.toThrow('a defect of the testbed: the resource has stored something else');
  });

  it('that is killed loses nothing: each process has what it saw on disk, and none stays', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'killed-'));
    const parts = join(folder, 'parts');
    const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
    const program = `
      import { createProcessesTestbed } from ${source('../processes/processes-testbed.ts')};
      import { realScenario } from ${source('real-testing.ts')};
      await createProcessesTestbed().run(realScenario({ limit: '60s' }), { seed: 1, partsFolder: ${JSON.stringify(parts)} });
    `;
    const run = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: 'inherit',
    });
    try {
      await until(() => {
        try {
          return readFileSync(join(parts, 'client-A.ndjson'), 'utf8').split('\n').length > 100;
        } catch {
          return false;
        }
      });
      const pid = run.pid ?? 0;
      const processes = offspring(pid);
      expect(processes.length).toBe(7);
      const exited = once(run, 'exit');
      run.kill('SIGKILL');
      await exited;
      await until(() => processes.every(({ pid: child }) => !isRunning(child)));
      await until(() => runFolders().length === 0);
      const [ofA, ofRun] = ['client-A', 'run'].map((name) => [
        ...eventsOf(decodeHistory(readFileSync(join(parts, `${name}.ndjson`), 'utf8'))),
      ]);
      expect(ofRun?.[0]).toMatchObject({ type: 'run-started' });
      // Whatever a server ran for A, A has on disk that it sent it.
      const sent = new Set(
        ofA?.flatMap((event) => (event.type === 'command-sent' ? [`${event.kind} ${event.value}`] : [])),
      );
      const ran =
        ofRun?.flatMap((event) =>
          event.type === 'command-executed' && event.key === 'lock:A' ? [`${event.kind} ${event.value}`] : [],
        ) ?? [];
      expect(ran.length).toBeGreaterThan(20);
      expect(ran.filter((name) => !sent.has(name))).toEqual([]);
    } finally {
      run.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });

  it('removes the folder of its parts once it is over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parts-'));
    try {
      await realStory(
        { workload: [{ clients: 'A', steps: [{ rest: '1ms' }] }] },
        { partsFolder: join(folder, 'parts') },
      );
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('whose events cannot be taken ends with that error', async () => {
    const run = realStory(
      { workload: [{ clients: 'A', steps: [{ rest: '1ms' }] }] },
      {
        onEvents: () => {
          throw new Error('the disk is full');
        },
      },
    );
    await expect(run).rejects.toThrow('the disk is full');
  });
});
