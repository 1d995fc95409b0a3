import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../src/events.ts';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServers } from '../test/redis-server.ts';

const run = promisify(execFile);
const root = new URL('..', import.meta.url).pathname;

function textOf(document: string): string {
  return readFileSync(join(root, 'docs', document), 'utf8');
}

/** A busy machine may keep a node waiting for longer than a program of ten seconds' locks allows by default. */
const PATIENCE_MS = 4_500;

/** The program, patient with its nodes. */
function patient(code: string): string {
  return code.replace(
    /new Redlock\((\[[^\]]*\])(, \{)?/g,
    (_all, nodes: string, options: string | undefined) =>
      `new Redlock(${nodes}, { nodeTimeout: ${PATIENCE_MS}${options === undefined ? ' }' : ','}`,
  );
}

/** What each program of the guides prints; numbers differ from run to run. */
const OUTPUTS: readonly (readonly [document: string, outputs: readonly RegExp[]])[] = [
  ['using.md', [/^invoices is locked for another \d+ ms\n60\n$/, /^$/, /^(?!99)\d{4}(\.\d+)?\n$/, /^$/]],
  ['fencing.md', [/^\d{16}\n$/, /^204\n204\n412\n428\n$/]],
  ['several-resources.md', [/^one lock on account-1 and account-2\n$/, /^seat-2\n$/]],
  ['observability.md', [/^invoices, attempt 1: granted in \d+(\.\d+)? ms; slowest node \d+(\.\d+)? ms\n$/, /^$/, /^$/]],
];

const programs = OUTPUTS.flatMap(([document, outputs]) => {
  const codes = [...textOf(document).matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1] ?? '');
  if (codes.length !== outputs.length)
    throw new Error(`docs/${document} has ${codes.length} programs: say what each prints`);
  return outputs.map((output, index) => ({ document, number: index + 1, code: codes[index] ?? '', output }));
});

describe.skipIf(!hasRedisServer)(`the programs of the guides (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'distrilock-guide-'));
    servers = await startRedisServers(3);
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it.each(programs)('$document, program $number', async ({ document, number, code, output }) => {
    const file = join(directory, `${document}-${number}.mts`);
    const ports = ['7000', '7001', '7002'];
    const ownPorts = ports.reduce(
      (text, port, index) => text.replace(port, String(servers[index]?.port)),
      patient(code),
    );
    // A service would go on; this process is to end.
    writeFileSync(file, ownPorts + (code.includes('const redlock') ? '\nawait redlock.quit();\n' : ''));
    const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', file], { cwd: root });
    // One of the programs tells of nodes that are slow, or still connecting when it ends.
    expect(stderr.replace(/^localhost:\d+: (timeout|failed) of \w+ after \d+ ms\n/gm, '')).toBe('');
    expect(stdout).toMatch(output);
  });
});

describe('the patience of the programs', () => {
  it('is given to every Redlock', () => {
    const codes = programs.map(({ code }) => code).join('\n');
    const count = (text: string, part: string) => text.split(part).length - 1;
    expect(count(patient(codes), `nodeTimeout: ${PATIENCE_MS}`)).toBe(count(codes, 'new Redlock('));
  });
});

describe('the guide of events', () => {
  it('explains every one of them', () => {
    const explained = [...textOf('observability.md').matchAll(/^\| `([a-z-]+)` +\| [^`]/gm)].map((match) => match[1]);
    expect(explained).toEqual(EVENT_NAMES);
  });

  it('lists every metric', () => {
    const listed = [...textOf('observability.md').matchAll(/^\| `(distrilock\.[a-z.]+)` +\|/gm)].map(
      (match) => match[1],
    );
    const source = readFileSync(join(root, 'src/opentelemetry.ts'), 'utf8');
    expect(listed).toEqual([...source.matchAll(/create(?:Histogram|Counter)\('([a-z.]+)'/g)].map((match) => match[1]));
  });
});
