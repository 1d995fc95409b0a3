// Started by the tests as a process of its own, which they kill: prints the folder of a run, and a second line once its fleet is ready.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenarioSchema } from '../../scenario/schema.ts';
import { watchRemains } from '../real/reaper.ts';
import { containerFleetStarter } from './container-fleet.ts';

const folder = mkdtempSync(join(tmpdir(), 'distrilock-held-'));
watchRemains({ folder });
const serverNames = ['n1', 'resource'];
const starting = containerFleetStarter.start({
  serverNames,
  scenario: {
    ...scenarioSchema.parse({
      title: 'a fleet that is held',
      clients: 1,
      workload: [{ steps: ['release'] }],
      expect: { 'mutual-exclusion': 'ok' },
      lesson: 'none',
    }),
    name: 'held',
  },
  movesClocks: false,
  hasReplicas: false,
  lineNames: [],
  proxyCount: serverNames.length,
  folder,
  signal: new AbortController().signal,
  onProgress: (step) => {
    if (step.startsWith('starting')) process.stdout.write(`${folder}\n`);
  },
});
await starting;
process.stdout.write('ready\n');
// Whoever started this ends it.
setInterval(() => undefined, 60_000);
