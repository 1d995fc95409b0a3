import type { RedisOptions } from 'ioredis';
import sqlite from 'node-sqlite3-wasm';
import { Redlock } from 'distrilock';

// Where the Redis masters listen; `PORTS=7000,7001,7002` names others.
const ports = process.env['PORTS']?.split(',').map(Number) ?? [7000, 7001, 7002];
const redisConfigs: RedisOptions[] = ports.map((port) => ({ host: 'localhost', port }));

// Short, so that a pause outlasts it soon; those who wait try for longer than that.
const LOCK_TTL = 1_000; // milliseconds
const options = { fencing: true, retryCount: 30, retryDelay: 100, retryJitter: 50 };

// SQLite, in memory. PostgreSQL takes the same statements; a token needs 64 bits there, so the column is a BIGINT.
const database = new sqlite.Database();
database.exec(`
  CREATE TABLE stock (item TEXT PRIMARY KEY, quantity INTEGER NOT NULL, token BIGINT NOT NULL DEFAULT 0);
  INSERT INTO stock (item, quantity) VALUES ('chairs', 10), ('lamps', 10);
`);

/** How a client reads and writes a row that it holds the lock of. */
interface Access {
  /** The quantity of the item; null where a newer holder has been. */
  read(item: string, token: number): number | null;
  /** Whether the write was taken. */
  write(item: string, quantity: number, token: number): boolean;
}

/** The row belongs to whoever writes to it: all depends on the lock. */
const trusting: Access = {
  read: (item) => quantityIn(database.get('SELECT quantity FROM stock WHERE item = ?', [item])),
  write: (item, quantity) =>
    database.run('UPDATE stock SET quantity = ? WHERE item = ?', [quantity, item]).changes === 1,
};

/** The row knows the largest token that it has seen, and obeys no smaller one. */
const fenced: Access = {
  // The token is raised before anything is read: from now on no older holder can change what was read.
  read: (item, token) =>
    quantityIn(
      database.get('UPDATE stock SET token = :token WHERE item = :item AND token <= :token RETURNING quantity', {
        ':item': item,
        ':token': token,
      }),
    ),
  write: (item, quantity, token) =>
    database.run('UPDATE stock SET quantity = :quantity, token = :token WHERE item = :item AND token <= :token', {
      ':item': item,
      ':quantity': quantity,
      ':token': token,
    }).changes === 1,
};

function quantityIn(row: ReturnType<typeof database.get>): number | null {
  return row === null ? null : Number(row['quantity']);
}

/** A client sells some of an item under the lock; `pause` stands for what may stop a process between its reading and its writing. */
async function sell(
  client: string,
  redlock: Redlock,
  sale: { readonly item: string; readonly amount: number; readonly access: Access },
  pause: () => Promise<void>,
): Promise<void> {
  const { item, amount, access } = sale;
  const lock = await redlock.acquire(`stock/${item}`, LOCK_TTL);
  try {
    const token = lock.token as number; // there is one with `fencing: true`
    const quantity = access.read(item, token);
    if (quantity === null) throw new Error(`A newer holder than ${client} has been there`);
    console.log(`${client} has token ${token}, and reads that there are ${quantity} ${item}.`);
    await pause();
    const left = quantity - amount;
    console.log(
      access.write(item, left, token)
        ? `${client} sells ${amount}, and writes that ${left} are left.`
        : `${client} is refused: the row has seen a larger token than ${token}.`,
    );
  } finally {
    await lock.release(); // no error where the lock is over
  }
}

/** A pauses until B has come and gone, which B can do only when the lease of A is over. */
async function race(item: string, access: Access, [redlockA, redlockB]: readonly [Redlock, Redlock]): Promise<void> {
  await sell('A', redlockA, { item, amount: 1, access }, async () => {
    console.log('A pauses.');
    await sell('B', redlockB, { item, amount: 5, access }, () => Promise.resolve());
    console.log('A goes on, and knows nothing of that.');
  });
  console.log(`In the database: ${JSON.stringify(database.get('SELECT * FROM stock WHERE item = ?', [item]))}`);
}

async function example(): Promise<void> {
  const clients = [new Redlock(redisConfigs, options), new Redlock(redisConfigs, options)] as const;
  try {
    console.log('The database trusts the lock:');
    await race('chairs', trusting, clients);
    console.log('The database compares tokens:');
    await race('lamps', fenced, clients);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  } finally {
    for (const redlock of clients) await redlock.quit();
    database.close();
  }
}

example().catch(console.error);
