// Started by the tests as a process of its own, which they kill: prints the folder of a run, and a second line once its fleet is ready.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchRemains } from '../real/reaper.ts';
import { KEEPS_NOTHING } from '../real/servers/server-requests.ts';
import { containerFleetStarter } from './container-fleet.ts';

const folder = mkdtempSync(join(tmpdir(), 'distrilock-held-'));
watchRemains({ folder });
const servers = ['n1', 'n2'].map((name) => ({ name, args: KEEPS_NOTHING, movesClock: false }));
const starting = containerFleetStarter.start({
  servers,
  replicas: new Map(),
  losesPower: false,
  lineNames: [],
  proxyCount: servers.length,
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
