import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER } from '../../../test/redis-server.ts';
import { stateOf } from '../real/process-signal.ts';
import { makeCertificate, whyNoCertificate } from '../real/servers/tls-testing.ts';
import type { TestbedUnavailableError } from '../testbed-error.ts';
import { builtVersion, probeRedisServer, probeToxiproxy, toxiproxyVersionText } from './probes.ts';
import { createProcessesTestbed, createProcessesTestbedWith } from './processes-testbed.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-probes-'));
  // What is left behind is found here.
  vi.stubEnv('TMPDIR', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  expect(readdirSync(folder).filter((name) => name.startsWith('distrilock-'))).toEqual([]);
  rmSync(folder, { recursive: true });
});

/** A program with these lines, run by sh. */
function script(...lines: readonly string[]): string {
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function refusalOf(probe: Promise<unknown>): Promise<string> {
  const error = await probe.then(
    () => new Error('it was taken'),
    (reason: unknown) => reason as TestbedUnavailableError,
  );
  expect(error).toMatchObject({ name: 'TestbedUnavailableError', remedy: expect.stringMatching(/./) as string });
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe.skipIf(!hasRedisServer)(`a redis-server that cannot be used (${NEEDS_REDIS_SERVER})`, () => {
  it.each([
    [
      'is not there',
      () => '/nowhere/redis-server',
      /^--redis-server names \/nowhere\/redis-server, which is no program/,
    ],
    ['is a folder', () => folder, /which is no program that can be run$/],
    ['ends at once', () => '/bin/false', /^\/bin\/false ended at once \(exit code 1\)$/],
    ['is another program', () => '/bin/sleep', /ended at once \(exit code 1\); it printed: .*--port/],
    ['wants a password', () => script('exec redis-server --requirepass x "$@"'), /demands a password$/],
    ['lets nobody in', () => script('exec redis-server "$@" --user default off'), /demands a password$/],
    [
      'listens elsewhere',
      () => script('exec redis-server "$@" --port $(($2 + 1))'),
      /does not answer as Redis without TLS does: .*ECONNREFUSED/,
    ],
    [
      'speaks another protocol',
      () =>
        script(
          `exec ${process.execPath} -e 'require("node:net").createServer((s) => s.end("HTTP/1.1 400\\r\\n\\r\\n")).listen(process.argv[1 + process.argv.indexOf("--port")], "127.0.0.1", () => console.log("Ready to accept connections"))' -- "$@"`,
        ),
      /does not answer as Redis without TLS does: /,
    ],
    ['is started by a script that stays', () => script('redis-server "$@"'), /runs the server as another process/],
  ])('because it %s', async (_why, path, message) => {
    expect(await refusalOf(probeRedisServer(path()))).toMatch(message);
  });

  it.skipIf(whyNoCertificate !== null).each([
    ['and takes everybody', 'no'],
    ['and demands a certificate', 'yes'],
  ])(
    `because it speaks nothing but TLS, %s (${whyNoCertificate ?? 'with a certificate of openssl'})`,
    async (_whom, demands) => {
      const { key, certificate } = makeCertificate(folder);
      const files = `--tls-cert-file ${certificate} --tls-key-file ${key} --tls-ca-cert-file ${certificate}`;
      const program = script(`exec redis-server "$@" --port 0 --tls-port "$2" --tls-auth-clients ${demands} ${files}`);
      const refused = probeRedisServer(program);
      expect(await refusalOf(refused)).toBe(`the server that ${program} starts speaks nothing but TLS`);
      await expect(refused).rejects.toHaveProperty(
        'remedy',
        expect.stringContaining('take tls-port out of its settings'),
      );
    },
  );

  it('because another program has its port', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const taken = probeRedisServer(script(`exec redis-server "$@" --port ${port}`));
    expect(await refusalOf(taken)).toMatch(/ended at once \(exit code 1\); it printed: .*Address already in use/i);
    await expect(taken).rejects.toHaveProperty('remedy', 'another program took the port just then: run it again');
    listener.close();
  });

  it('leaves nothing behind, whatever it started', async () => {
    const message = await refusalOf(probeRedisServer(script('sleep 1000 &', 'echo left $! >&2', 'exit 3')));
    const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);
    const pid = Number(/left (\d+)/.exec(message)?.[1]);
    // Dead, if nobody has buried it yet.
    await expect.poll(() => (isThere(pid) ? stateOf(pid) : 'gone')).toMatch(/^(?:Z|gone)$/);
  });

  it('is none of those if it says its version', async () => {
    const program = script('exec redis-server --loglevel verbose "$@"');
    expect(await probeRedisServer(program)).toMatchObject({ version: expect.stringMatching(/^[\d.]+$/) as string });
    const { name } = await createProcessesTestbedWith(program);
    expect(name).toMatch(/^processes-\d+\.\d+\.\d+$/);
  });

  it('is run in the foreground, whatever a script says', async () => {
    expect((await probeRedisServer(script('exec redis-server --daemonize yes "$@"'))).version).toMatch(/^[\d.]+$/);
  });

  it('is told with what the environment names, and the other parts are looked at too', async () => {
    vi.stubEnv('DISTRILOCK_REDIS_SERVER', '/bin/false');
    vi.stubEnv('DISTRILOCK_TOXIPROXY_SERVER', '/nowhere');
    expect(await createProcessesTestbed().check()).toEqual({
      canRun: false,
      parts: [
        {
          name: 'redis-server',
          problem: '/bin/false ended at once (exit code 1)',
          remedy: 'unset DISTRILOCK_REDIS_SERVER, which names it, or name another redis-server or valkey-server there',
          blocks: 'all',
        },
        {
          name: 'toxiproxy-server',
          problem: 'DISTRILOCK_TOXIPROXY_SERVER names /nowhere, which is no program that can be run',
          remedy: expect.stringMatching(/^unset DISTRILOCK_TOXIPROXY_SERVER, .*\.ci\/install-toxiproxy/) as string,
          blocks: 'all',
        },
        // It is here, or it is not.
        expect.objectContaining({ name: 'libfaketime' }),
      ],
    });
  });
});

it.each([
  [null, 'does not tell its version; 2.12 is tested'],
  ['2.12.0', '2.12.0'],
  ['3.0.1', '3.0.1'],
  ['2.9.0', '2.9.0, older than the tested 2.12'],
])('a toxiproxy-server that says %s is shown as %s', (version, text) => {
  expect(toxiproxyVersionText(version)).toBe(text);
});

it.each([
  [
    'x\0path\tgithub.com/Shopify/toxiproxy/v2/cmd/server\nmod\tgithub.com/Shopify/toxiproxy/v2\tv2.9.1\th1:abc=\n',
    '2.9.1',
  ],
  ['mod\tgithub.com/Shopify/toxiproxy/v2\t(devel)\t\n', null],
  ['#!/bin/sh\nexec toxiproxy-server "$@"\n', null],
])('of the program %j, the module has the version %j', (program, version) => {
  expect(builtVersion(Buffer.from(program))).toBe(version);
});

describe('a toxiproxy-server that cannot be used', () => {
  it.each([
    ['ends at once', () => '/bin/false', /^\/bin\/false ended at once \(exit code 1\)$/],
    ['is another program', () => '/bin/sleep', /ended at once \(exit code 1\); it printed: /],
    [
      'answers something else',
      () =>
        script(
          `exec ${process.execPath} -e 'require("node:http").createServer((q, r) => r.end("{}")).listen(process.argv[1 + process.argv.indexOf("-port")], "127.0.0.1", () => console.log("Starting Toxiproxy HTTP server"))' -- "$@"`,
        ),
      /does not answer as Toxiproxy does: at http:\S+ something else answers: \{\}$/,
    ],
    [
      'finds its port taken',
      () => script('echo "listen tcp 127.0.0.1:1: bind: address already in use"', 'exit 1'),
      /address already in use/,
    ],
  ])('because it %s', async (_why, path, message) => {
    vi.stubEnv('DISTRILOCK_TOXIPROXY_SERVER', path());
    expect(await refusalOf(probeToxiproxy())).toMatch(message);
  });

  it('is none of those if it says a moment too early that it listens', async () => {
    const server = `const { createServer } = require("node:http"); console.log("Starting Toxiproxy HTTP server"); setTimeout(() => createServer((q, r) => r.end(JSON.stringify({ version: "2.12.0" }))).listen(process.argv[1 + process.argv.indexOf("-port")], "127.0.0.1"), 100)`;
    vi.stubEnv('DISTRILOCK_TOXIPROXY_SERVER', script(`exec ${process.execPath} -e '${server}' -- "$@"`));
    expect(await probeToxiproxy()).toMatchObject({ version: '2.12.0' });
  });

  it('because it is nowhere', async () => {
    vi.stubEnv('PATH', folder);
    vi.stubEnv('DISTRILOCK_TOXIPROXY_SERVER', '');
    expect(await refusalOf(probeToxiproxy())).toBe('there is no toxiproxy-server on the PATH');
  });
});
