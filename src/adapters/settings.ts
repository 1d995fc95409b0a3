import { InvalidOptionError, type RetryPolicy } from '../index.ts';

/** What redlock 4, redlock 5 and @sesamecare-oss/redlock have in common to set. */
export interface CommonSettings {
  /** By which share of its time to live a lock counts as over sooner, because clocks drift apart. */
  readonly driftFactor: number;
  /** Retries after the first attempt; -1 without limit. */
  readonly retryCount: number;
  /** Milliseconds between attempts. */
  readonly retryDelay: number;
  /** By so many random milliseconds a delay is longer or shorter. */
  readonly retryJitter: number;
}

/** The defaults of all three. */
export const COMMON_DEFAULTS: CommonSettings = { driftFactor: 0.01, retryCount: 10, retryDelay: 200, retryJitter: 100 };

interface Rule {
  readonly accepts: (value: number) => boolean;
  readonly must: string;
}

const MILLISECONDS: Rule = {
  accepts: (value) => Number.isFinite(value) && value >= 0,
  must: 'a number of milliseconds from 0',
};

const RULES: Readonly<Record<string, Rule>> = {
  driftFactor: { accepts: (value) => value >= 0 && value < 1, must: 'a number from 0 to less than 1' },
  retryCount: {
    accepts: (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= -1),
    must: 'a whole number from -1, or Infinity',
  },
  retryDelay: MILLISECONDS,
  retryJitter: MILLISECONDS,
  automaticExtensionThreshold: MILLISECONDS,
  db: {
    accepts: (value) => Number.isSafeInteger(value) && value >= 0,
    must: 'the number of a database, a whole number from 0',
  },
};

/**
 * The defaults, with what the caller sets in their place. The originals pass over a setting that they do not know, or whose value makes no sense.
 *
 * @param defaults one value for each setting that there is
 * @param parent what the caller calls the settings, for errors
 * @throws InvalidOptionError that names the setting
 */
export function settingsFrom<Settings extends object>(defaults: Settings, given: unknown, parent: string): Settings {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(parent, `must be an object, not ${given === null ? 'null' : typeof given}`);
  }
  const settings = new Map<string, unknown>(Object.entries(defaults));
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined) continue;
    if (!settings.has(name)) {
      throw new InvalidOptionError(
        `${parent}.${name}`,
        `is not a setting here; there are ${[...settings.keys()].join(', ')}`,
      );
    }
    const rule = RULES[name];
    if (rule !== undefined && !(typeof value === 'number' && rule.accepts(value))) {
      throw new InvalidOptionError(
        `${parent}.${name}`,
        `must be ${rule.must}, not ${typeof value === 'number' ? value : `a ${typeof value}`}`,
      );
    }
    settings.set(name, value);
  }
  return Object.fromEntries(settings) as Settings;
}

/** When to try again: the jitter goes both ways, as in the originals. */
export function retryPolicyFrom({
  retryCount,
  retryDelay,
  retryJitter,
}: Omit<CommonSettings, 'driftFactor'>): RetryPolicy {
  return {
    count: retryCount,
    delayMs: (_failures, fraction) => Math.max(0, retryDelay + (2 * fraction - 1) * retryJitter),
  };
}
