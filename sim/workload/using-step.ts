import type { AcquiredLock } from '../../src/lock.ts';
import type { UsingStep } from '../scenario/schema.ts';
import {
  type Asked,
  codeOf,
  enterSection,
  extend,
  type Held,
  leaveSection,
  namesFor,
  patienceOf,
  recordAsked,
  recordFailed,
  recordGranted,
  release,
  retryOptionsOf,
} from './lock-calls.ts';
import type { WorkloadClient } from './workload-client.ts';

/** Takes a lock, works under it while the library extends it, and has it given back; all that the library does meanwhile is recorded like the steps of a script. */
export async function workUsing(client: WorkloadClient, step: UsingStep, ttlMs: number): Promise<void> {
  const { giveUpAfter, extensionLimit, work } = step;
  const workMs = client.drawMs(work);
  const asked = recordAsked(client, step.resource, ttlMs, 'workload');
  const patience = patienceOf(client, giveUpAfter);
  const witness = new Witness(client, asked);
  const { redlock } = client;
  const acquire = redlock.acquire.bind(redlock);
  // What using calls: each script has a Redlock of its own, and does one thing at a time.
  redlock.acquire = async (...call) => witness.watch(await acquire(...call));
  try {
    const running = redlock.using(
      namesFor(asked.resources),
      ttlMs,
      { ...retryOptionsOf(step, patience), extensionLimit },
      (signal) => witness.work(workMs, signal),
    );
    redlock.acquire = acquire;
    await running;
  } catch (error) {
    if (witness.held === null) recordFailed(client, asked, error);
    // That the lock was lost shows in what is recorded anyway.
    else codeOf(error);
  } finally {
    patience?.cancel();
  }
  await witness.allRecorded();
}

/** Sees what the library does with the lock of one using. */
class Witness {
  held: Held | null = null;
  private readonly client: WorkloadClient;
  private readonly asked: Asked;
  private readonly calls: Promise<void>[] = [];

  constructor(client: WorkloadClient, asked: Asked) {
    this.client = client;
    this.asked = asked;
  }

  watch(lock: AcquiredLock): AcquiredLock {
    const { client } = this;
    const held = recordGranted(client, this.asked, lock);
    const [prolong, giveBack] = [lock.extend.bind(lock), lock.release.bind(lock)];
    lock.extend = (ttlMs) =>
      this.told(
        (call) => extend(client, held, ttlMs, call),
        () => prolong(ttlMs),
      );
    lock.release = () => this.told((call) => release(client, held, call), giveBack);
    this.held = held;
    return lock;
  }

  /** Stays in the section for so long, or until the signal fires. */
  async work(workMs: number, signal: AbortSignal): Promise<void> {
    const { client } = this;
    const held = this.held as Held;
    enterSection(client, held);
    await new Promise<void>((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const cancel = client.schedule(workMs, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
    leaveSection(client, held);
  }

  async allRecorded(): Promise<void> {
    await Promise.all(this.calls);
  }

  /** Makes the call within its record, and returns what the library gets of it. */
  private told<Result>(
    record: (call: () => Promise<Result>) => Promise<void>,
    call: () => Promise<Result>,
  ): Promise<Result> {
    let result: Promise<Result> | null = null;
    const recorded = record(() => (result = call()));
    recorded.catch(() => undefined);
    this.calls.push(recorded);
    return result as unknown as Promise<Result>;
  }
}
