import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import sqlite from 'node-sqlite3-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  freePort,
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisServers,
} from '../test/redis-server.ts';

const run = promisify(execFile);

const guide = readFileSync(new URL('fencing.md', import.meta.url), 'utf8');

/** What one race in the example prints: the tokens of A and B, and the lines with these tokens called a and b. */
interface Race {
  readonly tokens: readonly number[];
  readonly lines: readonly string[];
}

interface Races {
  readonly trusting: Race;
  readonly fenced: Race;
}

/** Runs the example as a reader would, with the ports of the masters; rejects unless it ends well. */
async function runExample(ports: readonly number[]): Promise<Races> {
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', 'docs/fencing-sql.ts'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, PORTS: ports.join(',') },
  });
  expect(stderr).toBe('');
  return racesIn(stdout);
}

function racesIn(text: string): Races {
  const [, trusting, fenced] = text.split(/^The database .*:\n/m);
  return { trusting: raceIn(trusting ?? ''), fenced: raceIn(fenced ?? '') };
}

function raceIn(text: string): Race {
  const tokens = [...text.matchAll(/has token (\d+)/g)].map((match) => match[1] ?? '');
  const [a = 'none', b = 'none'] = tokens;
  return { tokens: tokens.map(Number), lines: text.trim().replaceAll(a, 'a').replaceAll(b, 'b').split('\n') };
}

describe.skipIf(!hasRedisServer)(`the example of fencing (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  beforeAll(async () => {
    servers = await startRedisServers(3);
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  it('loses a write where the lock alone protects the row, and refuses the stale writer where the row compares tokens', async () => {
    const startedUs = Date.now() * 1000;
    const { trusting, fenced } = await runExample(servers.map(({ port }) => port));
    for (const { tokens } of [trusting, fenced]) {
      expect(tokens).toHaveLength(2);
      expect(tokens[0]).toBeGreaterThanOrEqual(startedUs);
      expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Number.NaN);
    }
    expect(trusting.lines).toEqual([
      'A has token a, and reads that there are 10 chairs.',
      'A pauses.',
      'B has token b, and reads that there are 10 chairs.',
      'B sells 5, and writes that 5 are left.',
      'A goes on, and knows nothing of that.',
      'A sells 1, and writes that 9 are left.',
      'In the database: {"item":"chairs","quantity":9,"token":0}',
    ]);
    expect(fenced.lines).toEqual([
      'A has token a, and reads that there are 10 lamps.',
      'A pauses.',
      'B has token b, and reads that there are 10 lamps.',
      'B sells 5, and writes that 5 are left.',
      'A goes on, and knows nothing of that.',
      'A is refused: the row has seen a larger token than a.',
      'In the database: {"item":"lamps","quantity":5,"token":b}',
    ]);
    const printed = /^```\n(The database .*?)^```/ms.exec(guide)?.[1] ?? '';
    const documented = racesIn(printed);
    expect([documented.trusting.lines, documented.fenced.lines]).toEqual([trusting.lines, fenced.lines]);
  });

  it('says what is wrong when no server can be reached', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const error: unknown = await runExample(ports).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Too few nodes answered to lock "stock\/chairs"/) as string,
    });
  });
});

describe('the statements of the guide', () => {
  const statements = [...guide.matchAll(/^```sql\n(.*?)^```/gms)].map((match) => match[1] ?? '');
  const [createStock = '', raise = '', write = '', writeOrInsert = '', createFence = '', raiseFence = ''] = statements;

  /** A database with 10 lamps, whose last holder had token 33. */
  function openDatabase(): InstanceType<typeof sqlite.Database> {
    const database = new sqlite.Database();
    database.exec(createStock);
    database.exec(`INSERT INTO stock VALUES ('lamps', 10, 33)`);
    database.exec(createFence);
    return database;
  }

  const lamps = (token: number, quantity: number) => ({ $1: 'lamps', $2: token, $3: quantity });

  it('are all tried here', () => {
    expect(statements).toHaveLength(6);
  });

  it.each([
    ['an UPDATE', write],
    ['an upsert', writeOrInsert],
  ])('write by %s with the same token or a larger one, and with no smaller one', (_name, statement) => {
    const database = openDatabase();
    const changes = [33, 35, 34].map((token) => database.run(statement, lamps(token, token)).changes);
    expect(changes).toEqual([1, 1, 0]);
    expect(database.all('SELECT * FROM stock')).toEqual([{ item: 'lamps', quantity: 35, token: 35 }]);
    database.close();
  });

  it('insert a row that is not there', () => {
    const database = openDatabase();
    expect(database.run(writeOrInsert, { ...lamps(34, 7), $1: 'desks' }).changes).toBe(1);
    expect(database.get(`SELECT * FROM stock WHERE item = 'desks'`)).toEqual({ item: 'desks', quantity: 7, token: 34 });
    database.close();
  });

  it('read and raise the token at once, so that an older holder cannot change what was read', () => {
    const database = openDatabase();
    expect(database.get(raise, { $1: 'lamps', $2: 34 })).toEqual({ quantity: 10 });
    expect(database.run(write, lamps(33, 9)).changes).toBe(0);
    expect(database.get(raise, { $1: 'lamps', $2: 33 })).toBe(null);
    expect(database.run(write, lamps(34, 5)).changes).toBe(1);
    database.close();
  });

  it('raise the token of a lock that guards many rows', () => {
    const database = openDatabase();
    const changes = [33, 33, 35, 34].map((token) => database.run(raiseFence, { $1: 'stock', $2: token }).changes);
    expect(changes).toEqual([1, 1, 1, 0]);
    expect(database.all('SELECT * FROM fence')).toEqual([{ resource: 'stock', token: 35 }]);
    database.close();
  });
});
