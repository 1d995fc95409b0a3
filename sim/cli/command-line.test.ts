import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { galleryNames } from '../scenario/load.ts';
import { distrilock, ended, start, writeScenario } from './cli-testing.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('help', () => {
  it.each([
    [['--help'], 'Usage: distrilock [options] [command]'],
    [['help'], 'Exit codes:'],
    [['run', '--help'], 'npx distrilock run kleppmann-gc-pause --seed 7'],
    [['help', 'run'], 'npx distrilock run kleppmann-gc-pause --seed 7'],
    [['list', '--help'], "npx distrilock list --json | jq -r '.[].name'"],
    [['show', '--help'], 'npx distrilock show kleppmann-gc-pause'],
    [['--version'], '0.1.0\n'],
  ])('%j', async (words, text) => {
    const { code, stdout, stderr } = await distrilock(words, { folder });
    expect(stdout).toContain(text);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('says in a line that %s has ended it while it was still starting', async (signal, exitCode) => {
  // Sends the signal to the process itself, as soon as something there heeds it.
  const sender = `process.on('newListener', (name) => name === '${signal}' && setImmediate(() => process.kill(process.pid, name)))`;
  const environment = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(sender)}"` };
  const { code, stdout, stderr } = await distrilock(['list'], { folder, environment });
  expect(stderr).toBe(`Interrupted by ${signal} while it was starting: nothing was begun\n`);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
});

describe('bad input', () => {
  it.each([
    [[], 'Usage: distrilock [options] [command]'],
    [['rum'], "error: unknown command 'rum'\n(Did you mean run?)"],
  ])('%j', async (words, message) => {
    const { code, stdout, stderr } = await distrilock(words, { folder });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('list', () => {
  it('names every scenario of the gallery, from any working directory', async () => {
    const { code, stdout, stderr } = await distrilock(['list'], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const names = stdout.split('\n').flatMap((line) => /^(\S+) /.exec(line)?.[1] ?? []);
    expect(names).toEqual(['scenario', ...galleryNames()]);
    expect(stdout).toMatch(/^kleppmann-gc-pause .* mutual-exclusion ok$/m);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await distrilock(['list', '--json'], { folder });
    expect(code).toBe(0);
    const scenarios = JSON.parse(stdout) as { name: string; title: string; expect: object; file: string }[];
    expect(scenarios.map(({ name }) => name)).toEqual(galleryNames());
    const pause = scenarios.find(({ name }) => name === 'kleppmann-gc-pause');
    expect(pause?.title).toMatch(/./);
    expect(pause?.expect).toMatchObject({ 'critical-section': 'violated' });
    expect(pause?.file).toMatch(/scenarios\/kleppmann-gc-pause\.yaml$/);
  });

  it('is quiet when its reader has had enough', async () => {
    const child = start(['list'], { folder });
    child.stdout?.destroy();
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '' });
  });
});

const SCENARIO = `
title: One holder
source: https://example.org/paper
settings: { nodes: 3, ttl: 2s, fencing: true, retryCount: -1 }
clients: { A: , B: { clock: wall, wallOffset: -5s, rate: 1.01 } }
nodes: { persistence: rdb }
workload:
  - clients: A
    repeat: 2
    steps: [{ acquire: { resource: "r-{client}", ttl: 1s, giveUpAfter: 5s } }, { work: 10ms..20ms }, write, { extend: 1s }, release]
  - clients: [A, B]
    after: { event: acquire-granted, client: A, nth: 2, delay: 10ms }
    steps: [{ rest: 1s }]
faults:
  - { fault: flush, nodes: held, after: { event: section-entered } }
  - { fault: client-pause, clients: holder, at: 3s, for: 1s }
  - { fault: crash, nodes: { heldBy: A, count: 2 }, at: 2s, how: terminate }
  - { fault: latency, nodes: resource, delay: 1ms..5ms }
happened:
  - { event: client-paused }
  - { event: key-lost, node: n1, atMost: 0 }
expect: { token-order: ok, critical-section: violated }
lesson: |
  First.

  Second.
`;

describe('show', () => {
  it('tells a scenario in words', async () => {
    writeFileSync(join(folder, 'own.yaml'), SCENARIO);
    const { code, stdout, stderr } = await distrilock(['show', 'own.yaml'], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`own: One holder

Settings
  nodes             3
  ttl               2 s
  retryCount        without limit
  retryDelay        as the library has it
  retryJitter       as the library has it
  clockDriftFactor  as the library has it
  nodeTimeout       as the library has it
  fencing           yes
  restartGuard      no
  clients           A, B (reads its wall clock; wall clock off by -5 s; clocks run at 1.01 times the true rate)
  persistence       rdb
  maxmemoryPolicy   noeviction
  replica           none
  network           200 µs to 1 ms one way
  limit             60 s

Workload
  at the start: A, 2 times: acquire "r-{client}" for 1 s, give up after 5 s, work 10 ms to 20 ms, write, extend by 1 s, release
  10 ms after number 2 of the events acquire-granted (client A): A, B: rest 1 s

Faults
  at the start: messages between all clients and the protected resource take 1 ms to 5 ms longer
  at 2 s: 2 of the nodes that hold the lock of A crashes (terminate)
  at 3 s: the holder is paused, for 1 s
  after the first section-entered: the nodes that hold the newest lock is flushed

Must happen
  client-paused: at least 1
  key-lost (node n1): never

Expected
  token-order       ok
  critical-section  violated

Lesson
  First.

  Second.

Source
  https://example.org/paper

File
  own.yaml
`);
  });

  it('prints JSON with the defaults filled in', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { code, stdout } = await distrilock(['show', file, '--json'], { folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'one',
      file: 'one.yaml',
      settings: { nodes: 3, ttl: 1000, fencing: false },
      clients: { A: { clock: 'monotonic' } },
      limit: 60_000,
    });
  });

  it('knows the gallery', async () => {
    const { code, stdout } = await distrilock(['show', 'kleppmann-gc-pause'], { folder });
    expect(code).toBe(0);
    expect(stdout).toContain('\nLesson\n');
  });
});
