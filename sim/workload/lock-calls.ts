import { LockError } from '../../src/errors.ts';
import type { AcquiredLock } from '../../src/lock.ts';
import type { AcquireOptions } from '../../src/options.ts';
import { joinedResources } from '../../src/resource-names.ts';
import type { AcquireInvoked } from '../history/event.ts';
import type { LockStep } from '../scenario/schema.ts';
import type { WorkloadClient } from './workload-client.ts';

/** A lock that a script holds, and the number of the acquire that it came from. */
export interface Held {
  readonly lock: AcquiredLock;
  readonly lease: number;
}

/** A call of acquire that was recorded, and of which the outcome is still to be. */
export interface Asked {
  readonly operation: number;
  readonly resources: readonly string[];
  readonly phase: AcquireInvoked['phase'];
}

/** The resources that a client means by the names in a scenario, sorted and each once: `{client}` stands for its own name. */
export function resourcesOfStep(names: string | readonly string[], client: string): readonly string[] {
  return [...new Set([names].flat().map((name) => name.replaceAll('{client}', client)))].sort();
}

/** What the library is to be given: a name where there is but one. */
export function namesFor(resources: readonly string[]): string | readonly string[] {
  const [only] = resources;
  return resources.length === 1 && only !== undefined ? only : resources;
}

/** Records that the client calls acquire, to which the attempts belong from now on. */
export function recordAsked(
  client: WorkloadClient,
  names: string | readonly string[],
  ttlMs: number,
  phase: Asked['phase'],
): Asked {
  const operation = client.nextOperation();
  const resources = resourcesOfStep(names, client.name);
  client.record({
    type: 'acquire-invoked',
    timeUs: client.timeUs(),
    client: client.name,
    operation,
    resource: joinedResources(resources),
    ...(resources.length === 1 ? {} : { resources }),
    ttlMs,
    phase,
  });
  client.expectAttempts(operation);
  return { operation, resources, phase };
}

export function recordGranted(
  client: WorkloadClient,
  { operation, resources, phase }: Asked,
  lock: AcquiredLock,
): Held {
  for (const each of resources) client.noteLease(each, lock.value);
  client.record({
    type: 'acquire-granted',
    timeUs: client.timeUs(),
    client: client.name,
    operation,
    resource: joinedResources(resources),
    phase,
    value: lock.value,
    token: lock.token ?? null,
    attempts: lock.attempts,
    validityMs: lock.validity,
    // What is left now: a client that was held up since then has less.
    validUntilUs: client.trueUsAfter(lock.remaining()),
  });
  return { lock, lease: operation };
}

export function recordFailed(client: WorkloadClient, { operation, resources, phase }: Asked, error: unknown): void {
  client.record({
    type: 'acquire-failed',
    timeUs: client.timeUs(),
    client: client.name,
    operation,
    resource: joinedResources(resources),
    phase,
    code: codeOf(error),
  });
}

/** Records an extension, which `call` asks for. */
export async function extend(
  client: WorkloadClient,
  { lock, lease }: Held,
  ttlMs: number,
  call: () => Promise<unknown> = () => lock.extend(ttlMs),
): Promise<void> {
  const operation = client.nextOperation();
  client.record({ type: 'extend-invoked', timeUs: client.timeUs(), client: client.name, operation, lease, ttlMs });
  try {
    await call();
    client.record({
      type: 'extend-granted',
      timeUs: client.timeUs(),
      client: client.name,
      operation,
      lease,
      validityMs: lock.validity,
      // What is left now: a client that was held up since then has less.
      validUntilUs: client.trueUsAfter(lock.remaining()),
    });
  } catch (error) {
    client.record({
      type: 'extend-failed',
      timeUs: client.timeUs(),
      client: client.name,
      operation,
      lease,
      code: codeOf(error),
    });
  }
}

/** Records a release, which `call` asks for. */
export async function release(
  client: WorkloadClient,
  { lock, lease }: Held,
  call: () => Promise<unknown> = () => lock.release(),
): Promise<void> {
  const operation = client.nextOperation();
  client.record({ type: 'release-invoked', timeUs: client.timeUs(), client: client.name, operation, lease });
  try {
    await call();
    client.record({ type: 'release-done', timeUs: client.timeUs(), client: client.name, operation, lease });
  } catch (error) {
    client.record({
      type: 'release-failed',
      timeUs: client.timeUs(),
      client: client.name,
      operation,
      lease,
      code: codeOf(error),
    });
  }
}

export function enterSection(client: WorkloadClient, { lock, lease }: Held): void {
  const { resource } = lock;
  client.record({ type: 'section-entered', timeUs: client.timeUs(), client: client.name, lease, resource });
}

export function leaveSection(client: WorkloadClient, { lock, lease }: Held): void {
  const { resource } = lock;
  client.record({ type: 'section-left', timeUs: client.timeUs(), client: client.name, lease, resource });
}

/** The signal of somebody who has patience for so long; undefined for who waits. */
export function patienceOf(
  client: WorkloadClient,
  giveUpAfterMs: number | undefined,
): { signal: AbortSignal; cancel: () => void } | null {
  if (giveUpAfterMs === undefined) return null;
  const controller = new AbortController();
  const cancel = client.schedule(giveUpAfterMs, () => {
    controller.abort(new Error(`gave up after ${giveUpAfterMs} ms`));
  });
  return { signal: controller.signal, cancel };
}

/** How the library is to try, by a step, for a caller of such patience. */
export function retryOptionsOf(
  { retryCount, retryDelay, retryJitter, deadline }: LockStep,
  patience: { readonly signal: AbortSignal } | null,
): AcquireOptions {
  return { retryCount, retryDelay, retryJitter, deadline, signal: patience?.signal };
}

/** The library's code of an error. Anything else is a defect, of the library or of the testbed, and ends the run. */
export function codeOf(error: unknown): string {
  if (error instanceof LockError) return error.code;
  throw error;
}
