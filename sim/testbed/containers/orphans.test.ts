import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type Dockerode from 'dockerode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNoContainers } from './container-testing.ts';
import { connectDocker } from './docker.ts';
import { labelsOf, PROCESS_LABEL, removeOrphans, RUN_LABEL } from './orphans.ts';

const obstacle = await whyNoContainers();
const title = obstacle === null ? 'what a dead process has left' : `what a dead process has left: ${obstacle}`;

describe.skipIf(obstacle !== null)(title, () => {
  let engine: Dockerode;
  const networks = new Map<string, Dockerode.Network>();

  /** A network is the least that a run makes. */
  async function leave(name: string, changes: Readonly<Record<string, string>>): Promise<void> {
    const Labels = { ...labelsOf('orphans'), ...changes };
    networks.set(name, await engine.createNetwork({ Name: `distrilock-orphan-${name}`, Labels }));
  }

  async function left(): Promise<string[]> {
    const found = await engine.listNetworks({ filters: { label: [`${RUN_LABEL}=orphans`] } });
    return found.map(({ Name }) => Name.replace('distrilock-orphan-', '')).sort();
  }

  beforeEach(async () => {
    ({ engine } = await connectDocker());
  });

  afterEach(async () => {
    for (const network of networks.values()) await network.remove().catch(() => undefined);
    networks.clear();
  });

  it('is removed, but nothing of a living one, and nothing of a process of another host or of nobody knows which', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const dead = { [PROCESS_LABEL]: String(child.pid) };
    await leave('dead', dead);
    await leave('living', {});
    await leave('elsewhere', { ...dead, 'distrilock.host': 'another/boot/pid:[1]' });
    await leave('nobody', { [PROCESS_LABEL]: 'nobody' });
    await removeOrphans(engine);
    expect(await left()).toEqual(['elsewhere', 'living', 'nobody']);
  });
});
