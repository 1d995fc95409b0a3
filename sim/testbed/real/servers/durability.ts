import type { Redis } from 'ioredis';

/**
 * How far back a write may be lost when power fails, by the server's `appendfsync`: `everysec` syncs once a second, and `no` leaves it to Linux, which
 * writes back after some 30 s by itself.
 */
const UNSYNCED_MS: Readonly<Record<string, number>> = { always: 0, everysec: 1000, no: 30_000 };

/**
 * Asks a server how it keeps data. Resolves to how many milliseconds of writes its append-only file may lack when power fails; 0 as well if it has no such file: what
 * a snapshot has is on disk.
 */
export async function readUnsyncedMs(client: Redis): Promise<number> {
  const setting = async (name: string): Promise<string> => {
    const [, value] = await client.config('GET', name);
    return value ?? '';
  };
  if ((await setting('appendonly')) !== 'yes') return 0;
  const policy = await setting('appendfsync');
  const unsyncedMs = UNSYNCED_MS[policy];
  if (unsyncedMs === undefined) throw new Error(`a server says appendfsync ${policy}, which is none that Redis knows`);
  return unsyncedMs;
}
