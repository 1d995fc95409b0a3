import { joinedResources } from '../../src/resource-names.ts';
import { nodeTimeoutMs } from '../../src/node-timeout.ts';
import type { AcquireInvoked } from '../history/event.ts';
import type { Scenario } from '../scenario/schema.ts';
import { probeRetryCount } from '../workload/facts.ts';
import { clockDriftFactorOf } from '../scenario/clock-drift.ts';
import { resourcesOfStep } from '../workload/lock-calls.ts';

/** The library's defaults, which hold where a scenario says nothing else. */
const DEFAULT_RETRIES = 3;
const DEFAULT_DELAY_MS = 200;
const DEFAULT_JITTER_MS = 100;
const DEFAULT_BACKOFF = { base: 50, factor: 2, cap: 2000 } as const;

/** What an acquire can be given, by its step and by the settings. */
interface RetryFields {
  readonly retryCount?: number | undefined;
  readonly retryDelay?: number | undefined;
  readonly retryJitter?: number | undefined;
  readonly deadline?: number | undefined;
}

interface LockFields extends RetryFields {
  readonly resource: string | readonly string[];
  readonly ttl?: number | undefined;
  readonly giveUpAfter?: number | undefined;
}

interface SettingsFields extends RetryFields {
  readonly backoff?:
    | { readonly base?: number | undefined; readonly factor?: number | undefined; readonly cap?: number | undefined }
    | undefined;
}

/** The steps that matter here, whatever else they are. */
interface StepFields {
  readonly acquire?: LockFields;
  readonly using?: LockFields;
  readonly close?: number;
}

/** How an acquire is to go about it. */
export interface Plan {
  /** Infinity for an acquire that never gives up. */
  readonly attempts: number;
  /** From the end of the attempt of this number to the next one, by the clock of the client. */
  delayMs(failures: number): { readonly least: number; readonly most: number };
  /** When it ends by itself, or is aborted, from its call on; Infinity for never. */
  readonly deadlineMs: number;
  readonly giveUpMs: number;
  /** Whether the library itself is to extend the lock, and give it back. */
  readonly isUsing: boolean;
  /** How long each node is waited for. */
  readonly timeoutMs: number;
}

/** What the acquires of a scenario are asked to do. A history does not tell which step called acquire, so that there may be several answers. */
export class Plans {
  private readonly scenario: Scenario;
  private readonly known = new Map<string, readonly Plan[]>();
  /** Clients that may close a Redlock of theirs before the workload is over. */
  private readonly closing: ReadonlySet<string>;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.closing = new Set(
      Object.keys(scenario.clients).filter((client) =>
        stepsOf(scenario, client).some(({ close }) => close !== undefined),
      ),
    );
  }

  mayClose(client: string): boolean {
    return this.closing.has(client);
  }

  /** At least one, for an acquire of this scenario. */
  of({ client, resource, ttlMs, phase }: AcquireInvoked): readonly Plan[] {
    const name = phase === 'probe' ? `probe ${ttlMs}` : `${client} ${ttlMs} ${resource}`;
    let plans = this.known.get(name);
    if (plans === undefined) {
      plans = phase === 'probe' ? [this.probePlan(ttlMs)] : this.plansFor(client, resource, ttlMs);
      this.known.set(name, plans);
    }
    return plans;
  }

  private probePlan(ttlMs: number): Plan {
    const retryCount = probeRetryCount(this.scenario.settings.retryCount);
    return { ...this.planFor({ resource: '', retryCount }, ttlMs, false), deadlineMs: Number.POSITIVE_INFINITY };
  }

  private plansFor(client: string, resource: string, ttlMs: number): readonly Plan[] {
    const { settings } = this.scenario;
    return stepsOf(this.scenario, client).flatMap(({ acquire, using }) => {
      const lock = acquire ?? using;
      if (lock === undefined || (lock.ttl ?? settings.ttl) !== ttlMs) return [];
      if (joinedResources(resourcesOfStep(lock.resource, client)) !== resource) return [];
      return [this.planFor(lock, ttlMs, using !== undefined)];
    });
  }

  private planFor(lock: LockFields, ttlMs: number, isUsing: boolean): Plan {
    const settings: SettingsFields = this.scenario.settings;
    const retryCount = lock.retryCount ?? settings.retryCount ?? DEFAULT_RETRIES;
    return {
      attempts: retryCount < 0 ? Number.POSITIVE_INFINITY : retryCount + 1,
      delayMs: delaysOf(lock, settings),
      deadlineMs: lock.deadline ?? settings.deadline ?? Number.POSITIVE_INFINITY,
      giveUpMs: lock.giveUpAfter ?? Number.POSITIVE_INFINITY,
      isUsing,
      timeoutMs: nodeTimeoutMs(this.scenario.settings.nodeTimeout ?? null, ttlMs, clockDriftFactorOf(this.scenario)),
    };
  }
}

/** A delay or a jitter of the step alone makes delays fixed, even where the Redlock has others. */
function delaysOf(lock: LockFields, settings: SettingsFields): Plan['delayMs'] {
  const { backoff } = settings;
  if (backoff !== undefined && lock.retryDelay === undefined && lock.retryJitter === undefined) {
    const { base = DEFAULT_BACKOFF.base, factor = DEFAULT_BACKOFF.factor, cap = DEFAULT_BACKOFF.cap } = backoff;
    return (failures) => ({ least: 0, most: Math.min(cap, base * factor ** (failures - 1)) });
  }
  const least = lock.retryDelay ?? settings.retryDelay ?? DEFAULT_DELAY_MS;
  const most = least + (lock.retryJitter ?? settings.retryJitter ?? DEFAULT_JITTER_MS);
  return () => ({ least, most });
}

/** The steps that this client may run. */
function stepsOf({ workload }: Scenario, client: string): StepFields[] {
  return workload.flatMap(({ clients, steps }) => {
    const isRunBy =
      clients === 'all' ||
      clients === 'holder' ||
      clients === client ||
      (typeof clients === 'object' && clients.includes(client));
    return isRunBy ? steps.filter((step) => typeof step === 'object').map((step) => step as StepFields) : [];
  });
}
