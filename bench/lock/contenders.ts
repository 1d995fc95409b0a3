import type { Contender } from './contender.ts';
import { distrilock, distrilockWithOptions } from './contenders/distrilock.ts';
import { quorumFloor, waitingFloor } from './contenders/floors.ts';
import { redisSemaphore } from './contenders/redis-semaphore.ts';
import { redlock4 } from './contenders/redlock-4.ts';
import { redlock5 } from './contenders/redlock-5.ts';
import { redlockUniversal } from './contenders/redlock-universal.ts';
import { sesamecare } from './contenders/sesamecare.ts';

/** All that is compared, in the order of the tables. */
export const CONTENDERS: readonly Contender[] = [
  distrilock,
  quorumFloor,
  waitingFloor,
  redlock4,
  redlock5,
  sesamecare,
  redlockUniversal,
  redisSemaphore,
  ...distrilockWithOptions,
];
