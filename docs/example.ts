import type { RedisOptions } from 'ioredis';
import { type AcquiredLock, Redlock } from 'distrilock';

const delay = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Where the Redis masters listen; `PORTS=7000,7001,7002` names others.
const ports = process.env['PORTS']?.split(',').map(Number) ?? [7000, 7001, 7002];

async function example() {
  // One entry for each Redis master: independent masters, not replicas of one another.
  const redisConfigs: RedisOptions[] = ports.map((port) => ({ host: 'localhost', port }));

  const redlock = new Redlock(redisConfigs, {
    retryCount: 3, // retries after the first attempt (default: 3)
    retryDelay: 200, // milliseconds between attempts (default: 200)
    retryJitter: 50, // at most so many random milliseconds more (default: 100)
    clockDriftFactor: 0.01, // allowance for the drift of clocks (default: 0.01)
  });

  const resourceName = 'my-critical-resource';
  const lockTTL = 10_000; // milliseconds

  let lock: AcquiredLock | null = null;
  try {
    console.log(`Attempting to acquire lock for "${resourceName}"...`);
    lock = await redlock.acquire(resourceName, lockTTL);
    console.log(`Lock acquired for "${resourceName}"! Effective validity: ${lock.validity}ms. Value: ${lock.value}`);

    console.log('Performing critical work...');
    await delay(Math.min(500, lock.validity / 2));
    console.log('Critical work finished.');

    // The work takes longer than expected: ask for 15 seconds from now.
    try {
      lock = await redlock.extend(lock, 15_000);
      console.log(`Lock extended! New effective validity: ${lock.validity}ms.`);
    } catch (extendError) {
      // The lock is valid as long as it was before: `lock.remaining()` tells.
      console.error(`Failed to extend lock: ${(extendError as Error).message}`);
    }
  } catch (error) {
    console.error(`Failed to acquire lock or error during critical work: ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    if (lock) {
      console.log(`Releasing lock for "${resourceName}"...`);
      try {
        await lock.release();
        console.log('Lock released.');
      } catch (releaseError) {
        console.error(`Error releasing lock: ${(releaseError as Error).message}`);
      }
    }
    await redlock.quit();
    console.log('Redlock connections closed.');
  }
}

example().catch(console.error);
