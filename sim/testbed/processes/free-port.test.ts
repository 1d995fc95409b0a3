import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { freePorts } from './free-port.ts';

it('gives ports on which a server can listen, each only once for a long time', async () => {
  const ports = [...(await freePorts(40)), ...(await Promise.all([freePorts(20), freePorts(20)])).flat()];
  expect(new Set(ports).size).toBe(80);
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  }
});

it('passes over a port that is taken', async () => {
  const [first = 0] = await freePorts(1);
  const server = createServer().listen(first + 1, '127.0.0.1');
  await once(server, 'listening');
  expect(await freePorts(1)).toEqual([first + 2]);
  server.close();
});

it('gives other processes other ports', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'distrilock-ports-'));
  try {
    const program = join(folder, 'ports.mjs');
    const source = fileURLToPath(new URL('free-port.ts', import.meta.url));
    const bundle = await build({ entryPoints: [source], bundle: true, platform: 'node', format: 'esm', write: false });
    writeFileSync(
      program,
      `${bundle.outputFiles[0]?.text ?? ''}\nprocess.send(await freePorts(50));setInterval(() => 0, 1000);`,
    );
    const children = [1, 2, 3].map(() => fork(program));
    const given = await Promise.all(children.map(async (child) => ((await once(child, 'message')) as [number[]])[0]));
    for (const child of children) child.kill('SIGKILL');
    const ports = [...given.flat(), ...(await freePorts(50))];
    expect(new Set(ports).size).toBe(200);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
