import type { Redis } from 'ioredis';

/** What the server's wall clock reads, in milliseconds since the epoch. */
export async function readWallMs(client: Redis): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}
