import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientHandle, type ClientNews } from './client-handle.ts';
import type { ClientConfiguration } from './client-messages.ts';
import { buildClientProgram } from './client-program.ts';

let folder: string;
let program: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-client-'));
  program = await buildClientProgram(folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Whose nodes are not there. */
function configuration(): ClientConfiguration {
  return {
    name: 'A',
    place: 0,
    clientCount: 1,
    seed: 1,
    historyFile: join(folder, 'client-A.ndjson'),
    clock: { clock: 'monotonic', wallOffset: 0, rate: 1 },
    settings: { ttl: 300, fencing: false },
    keyPrefix: 'lock:',
    nodes: { n1: { host: '127.0.0.1', port: 1 } },
    resource: { host: '127.0.0.1', port: 1 },
  };
}

describe('the program of a client', () => {
  it('runs, and ends when nobody listens any more', async () => {
    const child = fork(program, [], { execArgv: [] });
    child.send({ type: 'cut-off' });
    expect(child.exitCode).toBeNull();
    const exited = once(child, 'exit');
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});

describe('a client process', () => {
  it('that cannot begin says why, and fails whoever waits for it', async () => {
    const deaths: string[] = [];
    const client = new ClientHandle('A', program, {
      onNews: () => undefined,
      onDeath: ({ message }) => deaths.push(message),
    });
    await expect(client.configure(configuration())).rejects.toThrow(
      /^the process of client A ended \(exit code 1\)\n[^]*A cannot reach/,
    );
    expect(deaths).toHaveLength(1);
    await expect(client.probe('r')).rejects.toThrow('the process of client A ended');
    await expect(client.pause(1)).rejects.toThrow('the process of client A ended');
    await client.close();
  });

  it('that finds its disk full says so once, and tells nothing more', async () => {
    // Where it connects nobody answers, so that it is neither ready nor dead.
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = { host: '127.0.0.1', port: (silent.address() as AddressInfo).port };
    const news: ClientNews[] = [];
    const client = new ClientHandle('A', program, { onNews: (each) => news.push(each), onDeath: () => undefined });
    const settings = { ...configuration(), historyFile: '/dev/full', nodes: { n1: address }, resource: address };
    const death = expect(client.configure(settings)).rejects.toThrow('client A was killed by SIGKILL');
    await client.jumpWallClock(5);
    await client.jumpWallClock(5);
    await client.close();
    await death;
    silent.close();
    expect(news).toEqual([
      { type: 'output-failed', problem: 'the disk is full; free some space, or write somewhere else' },
    ]);
  });

  it('that dies fails all its tasks', async () => {
    const deaths: string[] = [];
    const client = new ClientHandle('A', program, {
      onNews: () => undefined,
      onDeath: ({ message }) => deaths.push(message),
    });
    // Nobody has configured it, so that it does none of them.
    const tasks = [client.probe('r'), client.awaitAnswers(), client.runScript({ clients: 'A', repeat: 1, steps: [] })];
    const outcomes = Promise.allSettled(tasks);
    await client.pause(1);
    process.kill(pidOf(client), 'SIGKILL');
    expect(
      (await outcomes).map((outcome) => String(outcome.status === 'rejected' ? outcome.reason : outcome.status)),
    ).toEqual(Array(3).fill('RunLostError: client A was killed by SIGKILL'));
    expect(deaths).toEqual(['client A was killed by SIGKILL']);
  });

  it('that is closed, even while it stands still, is no death', async () => {
    const deaths: string[] = [];
    const client = new ClientHandle('A', program, {
      onNews: () => undefined,
      onDeath: ({ message }) => deaths.push(message),
    });
    expect(await client.pause(1)).toBe(true);
    expect(await client.pause(2)).toBe(false);
    expect(await client.resume(1)).toBe(false);
    expect(await client.resume(1)).toBe(false);
    expect(await client.resume(2)).toBe(true);
    await client.pause(3);
    await client.close();
    await client.close();
    expect(deaths).toEqual([]);
  });

  it('whose program is not there says so', async () => {
    const deaths: string[] = [];
    const client = new ClientHandle('A', join(folder, 'nothing.mjs'), {
      onNews: () => undefined,
      onDeath: ({ message }) => deaths.push(message),
    });
    await expect(client.configure(configuration())).rejects.toThrow(/ended \(exit code 1\)\n[^]*Cannot find module/);
  });
});

function pidOf(client: ClientHandle): number {
  return (client as unknown as { process: { pid: number } }).process.pid;
}
