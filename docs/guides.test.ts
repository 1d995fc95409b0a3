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

/** What each program of the guides prints; numbers differ from run to run. */
const OUTPUTS: readonly (readonly [document: string, outputs: readonly RegExp[]])[] = [
  ['using.md', [/^invoices is locked for another \d+ ms\n60\n$/, /^$/, /^98\d\d(\.\d+)?\n$/, /^$/]],
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
    const ownPorts = ports.reduce((text, port, index) => text.replace(port, String(servers[index]?.port)), code);
    // A service would go on; this process is to end.
    writeFileSync(file, ownPorts + (code.includes('const redlock') ? '\nawait redlock.quit();\n' : ''));
    const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', file], { cwd: root });
    expect(stderr).toBe('');
    expect(stdout).toMatch(output);
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
