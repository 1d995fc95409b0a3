import { LockError } from '../../src/errors.ts';
import type { AcquiredLock } from '../../src/lock.ts';
import { joinedResources } from '../../src/resource-names.ts';
import type { Script, Step } from '../scenario/schema.ts';
import type { WorkloadClient } from './workload-client.ts';

type AcquireStep = Extract<Step, { acquire: unknown }>['acquire'];

/** A lock that a script holds, and the number of the acquire that it came from. */
interface Held {
  readonly lock: AcquiredLock;
  readonly lease: number;
}

/** Runs the steps of a script on one client, round after round, and records what it does. */
export async function runScript(client: WorkloadClient, script: Script, defaultTtlMs: number): Promise<void> {
  for (let round = 0; round < script.repeat && !client.isCutOff(); round += 1) {
    await runRound(client, script.steps, defaultTtlMs);
  }
}

async function runRound(client: WorkloadClient, steps: readonly Step[], defaultTtlMs: number): Promise<void> {
  let held: Held | null = null;
  for (const step of steps) {
    if (client.isCutOff()) break;
    if (step === 'release') {
      if (held !== null) {
        leaveSection(client, held);
        await release(client, held);
      }
      held = null;
    } else if (step === 'write') {
      if (held !== null) await write(client, held);
    } else if ('acquire' in step) {
      // A script works under one lock at a time: it is done with what the former one protected, and lets that expire.
      if (held !== null) leaveSection(client, held);
      held = await acquire(client, step.acquire, step.acquire.ttl ?? defaultTtlMs, 'workload');
      // Without the lock there is nothing to do in this round.
      if (held === null) return;
    } else if ('extend' in step) {
      if (held !== null) await extend(client, held, step.extend);
    } else {
      await client.sleep(client.drawMs('work' in step ? step.work : step.rest));
    }
  }
  // A script that never releases leaves the section all the same: it has nothing more to do there.
  if (held !== null) leaveSection(client, held);
}

/** Takes the lock once and gives it back at once; resolves to whether it was granted. `retryCount` undefined is the client's own. */
export async function probe(
  client: WorkloadClient,
  resource: string,
  ttlMs: number,
  retryCount?: number,
): Promise<boolean> {
  const held = await acquire(client, { resource, retryCount }, ttlMs, 'probe');
  if (held === null) return false;
  await release(client, held);
  return true;
}

/** The resources that a client means by the names in a scenario, sorted and each once: `{client}` stands for its own name. */
export function resourcesOfStep(names: string | readonly string[], client: string): readonly string[] {
  return [...new Set([names].flat().map((name) => name.replaceAll('{client}', client)))].sort();
}

async function acquire(
  client: WorkloadClient,
  step: AcquireStep,
  ttlMs: number,
  phase: 'workload' | 'probe',
): Promise<Held | null> {
  const operation = client.nextOperation();
  const resources = resourcesOfStep(step.resource, client.name);
  const resource = joinedResources(resources);
  const { retryCount, retryDelay, retryJitter, giveUpAfter } = step;
  client.record({
    type: 'acquire-invoked',
    timeUs: client.timeUs(),
    client: client.name,
    operation,
    resource,
    ...(resources.length === 1 ? {} : { resources }),
    ttlMs,
    phase,
  });
  client.expectAttempts(operation);
  const patience = giveUpAfter === undefined ? null : abortAfter(client, giveUpAfter);
  try {
    const lock = await client.redlock.acquire(resources.length === 1 ? resource : resources, ttlMs, {
      retryCount,
      retryDelay,
      retryJitter,
      signal: patience?.signal,
    });
    for (const each of resources) client.noteLease(each, lock.value);
    client.record({
      type: 'acquire-granted',
      timeUs: client.timeUs(),
      client: client.name,
      operation,
      resource,
      phase,
      value: lock.value,
      token: lock.token ?? null,
      attempts: lock.attempts,
      validityMs: lock.validity,
      // What is left now: a client that was held up since then has less.
      validUntilUs: client.trueUsAfter(lock.remaining()),
    });
    if (phase === 'workload') {
      client.record({
        type: 'section-entered',
        timeUs: client.timeUs(),
        client: client.name,
        lease: operation,
        resource,
      });
    }
    return { lock, lease: operation };
  } catch (error) {
    client.record({
      type: 'acquire-failed',
      timeUs: client.timeUs(),
      client: client.name,
      operation,
      resource,
      phase,
      code: codeOf(error),
    });
    return null;
  } finally {
    patience?.cancel();
  }
}

async function extend(client: WorkloadClient, { lock, lease }: Held, ttlMs: number): Promise<void> {
  const operation = client.nextOperation();
  client.record({ type: 'extend-invoked', timeUs: client.timeUs(), client: client.name, operation, lease, ttlMs });
  try {
    await lock.extend(ttlMs);
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

async function release(client: WorkloadClient, { lock, lease }: Held): Promise<void> {
  const operation = client.nextOperation();
  client.record({ type: 'release-invoked', timeUs: client.timeUs(), client: client.name, operation, lease });
  try {
    await lock.release();
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

async function write(client: WorkloadClient, { lock, lease }: Held): Promise<void> {
  for (const resource of lock.resources) {
    await client.write(client.nextWrite(), lease, resource, lock.token ?? null);
  }
}

function leaveSection(client: WorkloadClient, { lock, lease }: Held): void {
  client.record({ type: 'section-left', timeUs: client.timeUs(), client: client.name, lease, resource: lock.resource });
}

function abortAfter(client: WorkloadClient, milliseconds: number): { signal: AbortSignal; cancel: () => void } {
  const controller = new AbortController();
  const cancel = client.schedule(milliseconds, () => {
    controller.abort(new Error(`gave up after ${milliseconds} ms`));
  });
  return { signal: controller.signal, cancel };
}

/** The library's code of an error. Anything else is a defect, of the library or of the testbed, and ends the run. */
function codeOf(error: unknown): string {
  if (error instanceof LockError) return error.code;
  throw error;
}
