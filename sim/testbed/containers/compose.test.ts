import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { removeLabelled } from './container-remains.mjs';
import { whyNoContainers } from './container-testing.ts';
import { connectDocker } from './docker.ts';
import { redisImage } from './images.ts';
import { labelsOf, RUN_LABEL } from './orphans.ts';

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly ports: readonly string[];
  readonly healthcheck: { readonly test: readonly string[]; readonly interval: string; readonly retries: number };
}

const ROOT = new URL('../../../', import.meta.url);
const RUN = 'compose-test';
const NANOSECONDS = 1e9;
const obstacle = await whyNoContainers();

function servicesOfCompose(): ReadonlyMap<string, Service> {
  const { services } = parse(readFileSync(new URL('compose.yaml', ROOT), 'utf8'), { merge: true }) as {
    readonly services: Readonly<Record<string, Service>>;
  };
  return new Map(Object.entries(services));
}

it('compose.yaml publishes just the servers that the example connects to, on this machine alone', () => {
  const example = readFileSync(new URL('docs/example.ts', ROOT), 'utf8');
  const [, list = ''] = /\?\? \[([\d, ]+)\]/.exec(example) ?? [];
  const wanted = list.split(', ').map((port) => `127.0.0.1:${port}:6379`);
  expect(wanted).toHaveLength(3);
  expect([...servicesOfCompose().values()].flatMap(({ ports }) => ports)).toEqual(wanted);
});

describe.skipIf(obstacle !== null)(
  obstacle === null ? 'a server of compose.yaml' : `a server of compose.yaml: ${obstacle}`,
  () => {
    const ids = new Map<string, string>();

    beforeAll(async () => {
      const { engine } = await connectDocker();
      for (const [name, { command, healthcheck }] of servicesOfCompose()) {
        const container = await engine.createContainer({
          // What the variable in the file stands for.
          Image: redisImage().image,
          Cmd: [...command],
          Labels: labelsOf(RUN),
          Healthcheck: {
            Test: [...healthcheck.test],
            Interval: Number.parseFloat(healthcheck.interval) * NANOSECONDS,
            Retries: healthcheck.retries,
          },
        });
        await container.start();
        ids.set(name, container.id);
      }
    });

    afterAll(async () => {
      const { engine } = await connectDocker();
      await removeLabelled(engine, [`${RUN_LABEL}=${RUN}`]);
    });

    it('becomes healthy, is a master of its own, and has on disk what it answers', { timeout: 60_000 }, async () => {
      const { engine, client } = await connectDocker();
      expect(ids.size).toBe(3);
      for (const [name, id] of ids) {
        const container = engine.getContainer(id);
        await vi.waitUntil(async () => (await container.inspect()).State.Health?.Status === 'healthy', {
          timeout: 30_000,
          interval: 100,
        });
        const ask = async (...words: string[]): Promise<string> =>
          (await client.container.exec(container, ['redis-cli', ...words])).output.trim();
        expect(await ask('get', 'name')).toBe('');
        expect(await ask('set', 'name', name)).toBe('OK');
        expect(await ask('get', 'name')).toBe(name);
        expect(await ask('info', 'replication')).toMatch(/^role:master\r?$\n^connected_slaves:0\r?$/m);
        expect(await ask('config', 'get', 'append*')).toMatch(/^appendonly\nyes$/m);
        expect(await ask('config', 'get', 'appendfsync')).toBe('appendfsync\nalways');
        expect(await ask('config', 'get', 'maxmemory-policy')).toBe('maxmemory-policy\nnoeviction');
      }
    });
  },
);
