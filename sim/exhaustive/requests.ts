import type { WorldSettings } from './settings.ts';
import { CODE, type StepKind } from './steps.ts';

/** That an attempt began which is not the first one of its acquire: a bit beside those of the step kinds. */
export const RETRY = 1 << Object.keys(CODE).length;

/** The bit of a kind of step. */
export function bitOf(kind: StepKind): number {
  return 1 << CODE[kind];
}

/** What a world can be asked for that may turn out to be impossible in it. */
interface Request {
  readonly setting: 'crashes' | 'pauses' | 'clockJumps' | 'evictions' | 'retries' | 'extensions';
  /** What grants it: any of these bits. */
  readonly bits: number;
  /** What did not happen, and what it takes. */
  readonly missing: string;
}

const REQUESTS: readonly Request[] = [
  { setting: 'crashes', bits: bitOf('crash'), missing: 'no node crashed' },
  {
    setting: 'crashes',
    bits: bitOf('restart'),
    missing: 'no node came back from a crash: a delayed restart takes as many ticks as the ttl',
  },
  {
    setting: 'pauses',
    bits: bitOf('pause'),
    missing:
      'no client was paused: that takes a timer that is due, and a tick after it, so more ticks than the node timeout',
  },
  {
    setting: 'clockJumps',
    bits: bitOf('jump') | bitOf('clock-back') | bitOf('clock-ahead'),
    missing:
      'no clock that jumped made a difference: for a key, that takes ticks and a jump that come to the ttl together',
  },
  { setting: 'evictions', bits: bitOf('evict'), missing: 'no key vanished' },
  { setting: 'retries', bits: RETRY, missing: 'no acquire was tried again: that takes a tick' },
  { setting: 'extensions', bits: bitOf('extend'), missing: 'no lock was extended' },
];

/** What this world was asked for and what happened in none of its states, in words. `happened` has the bits of what did. */
export function missingIn(world: WorldSettings, happened: number): readonly string[] {
  return REQUESTS.filter(({ setting, bits }) => world[setting] > 0 && (happened & bits) === 0).map(
    ({ missing }) => missing,
  );
}
