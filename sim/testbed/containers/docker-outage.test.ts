import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Ended, ended, start } from '../../cli/cli-testing.ts';
import { countRemains, whyNoContainers } from './container-testing.ts';
import { DockerProxy } from './docker-proxy-testing.ts';

const DAEMON = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
const SOCKET = DAEMON.startsWith('unix://') ? DAEMON.slice('unix://'.length) : null;
const obstacle =
  (await whyNoContainers()) ?? (SOCKET === null ? 'the daemon listens at no socket of this machine' : null);
const title = obstacle === null ? 'a Docker daemon' : `a Docker daemon: ${obstacle}`;

const SCENARIO = {
  title: 'One node crashes',
  settings: { nodes: 3, ttl: '300ms' },
  clients: { A: null, B: null },
  lesson: 'One at a time.',
  expect: { 'mutual-exclusion': 'ok' },
  workload: [{ repeat: 10, steps: [{ acquire: { resource: 'r', retryCount: -1 } }, { work: '5ms' }, 'release'] }],
};
const CRASH = { faults: [{ fault: 'crash', nodes: 'n1', at: '100ms', for: '100ms' }] };

/** Of containers that were started before: what dead runs have left is removed earlier. */
const CLEAN_UP = [/^POST .*\/start/, /^DELETE .*\/containers\//];

describe.skipIf(obstacle !== null)(title, { timeout: 120_000 }, () => {
  let folder: string;
  let proxy: DockerProxy;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-outage-'));
    proxy = new DockerProxy(join(folder, 'docker.sock'), SOCKET ?? '');
    await proxy.open();
  });

  afterEach(() => {
    proxy.vanish();
    rmSync(folder, { recursive: true });
  });

  /** Runs these scenarios in containers of the daemon behind the proxy. */
  function run(scenarios: Readonly<Record<string, object>>): {
    readonly pid: number;
    readonly end: Promise<Ended>;
    readonly kill: (signal: NodeJS.Signals) => void;
  } {
    for (const [name, parts] of Object.entries(scenarios)) {
      writeFileSync(join(folder, `${name}.yaml`), JSON.stringify({ ...SCENARIO, ...parts }));
    }
    const files = Object.keys(scenarios).map((name) => `${name}.yaml`);
    const child = start(['run', ...files, '--backend', 'containers'], {
      folder,
      environment: { DOCKER_HOST: `unix://${proxy.path}` },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return { pid: child.pid ?? 0, end: ended(child), kill: (signal) => child.kill(signal) };
  }

  /** What was left is removed once the daemon is there again, by a process that the run has left for that. */
  async function expectRemoval(pid: number): Promise<void> {
    await vi.waitUntil(async () => (await countRemains(pid)) === 0, { timeout: 40_000, interval: 200 });
  }

  it('that goes away in the middle of a run makes it unknown, and keeps the next from running', async () => {
    const broken = proxy.at([/^POST .*\/kill/], () => proxy.vanish());
    const { pid, end } = run({ first: CRASH, second: {} });
    await Promise.race([broken, end]);
    const { code, stdout, stderr } = await end;
    expect(stderr).not.toContain('defect');
    expect(stdout).toContain(`the run was lost: Docker at unix://${proxy.path} is gone: `);
    expect(stdout).toMatch(/^first .* unknown /m);
    expect(stdout).toMatch(
      /^Skipped, so not proven: second on containers: no Docker daemon answers at DOCKER_HOST=unix:.* Remedy: start Docker/m,
    );
    expect(code).toBe(3);
    // Three nodes, the resource, Toxiproxy, and their network.
    expect(await countRemains(pid)).toBe(6);
    await proxy.open();
    await expectRemoval(pid);
  });

  it('that goes away while a run is cleaned up takes nothing from it', async () => {
    const broken = proxy.at(CLEAN_UP, () => proxy.vanish());
    const { pid, end } = run({ first: {} });
    await Promise.race([broken, end]);
    const { code, stdout, stderr } = await end;
    expect(stderr).not.toContain('defect');
    expect(stdout).toContain('1 run: 1 as expected');
    expect(code).toBe(0);
    expect(await countRemains(pid)).toBeGreaterThan(1);
    await proxy.open();
    await expectRemoval(pid);
  });

  it.each([
    ['while a run starts', [/^POST .*\/containers\/create/]],
    ['while a server is killed', [/^POST .*\/kill/]],
    ['while a run is cleaned up', CLEAN_UP],
  ])('that hangs %s does not keep the run from ending by one Ctrl-C', async (_when, requests) => {
    const hangs = proxy.at(requests, () => proxy.hang());
    const { pid, end, kill } = run({ first: CRASH });
    await Promise.race([hangs, end]);
    const sinceMs = performance.now();
    kill('SIGINT');
    const { code, stdout, stderr } = await end;
    expect(stderr).not.toContain('defect');
    expect([0, 130], stdout + stderr).toContain(code);
    expect(performance.now() - sinceMs).toBeLessThan(40_000);
    proxy.vanish();
    await proxy.open();
    await expectRemoval(pid);
  });
});
