import type { AcquireOptions } from '../../src/options.ts';
import type { LockStep, Script, Step } from '../scenario/schema.ts';
import {
  type Asked,
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
import { workUsing } from './using-step.ts';
import type { WorkloadClient } from './workload-client.ts';

/** Runs the steps of a script on one client, round after round, and records what it does. */
export async function runScript(client: WorkloadClient, script: Script, defaultTtlMs: number): Promise<void> {
  for (let round = 0; round < script.repeat && !client.isCutOff(); round += 1) {
    await new Round(client, defaultTtlMs).run(script.steps);
  }
}

/** Takes the lock once and gives it back at once; resolves to whether it was granted. What the options leave out is the client's own. */
export async function probe(
  client: WorkloadClient,
  resource: string,
  ttlMs: number,
  options: Pick<AcquireOptions, 'retryCount' | 'deadline'> = {},
): Promise<boolean> {
  const held = await acquire(client, { resource, ...options }, ttlMs, 'probe');
  if (held === null) return false;
  await release(client, held);
  return true;
}

/** The steps of a script, once. A script works under one lock at a time. */
class Round {
  private readonly client: WorkloadClient;
  private readonly defaultTtlMs: number;
  /** The lock that was taken last, given back or not. */
  private last: Held | null = null;
  private isHeld = false;
  /** Extensions that no step waits for. */
  private readonly beside: Promise<void>[] = [];

  constructor(client: WorkloadClient, defaultTtlMs: number) {
    this.client = client;
    this.defaultTtlMs = defaultTtlMs;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.client.isCutOff()) break;
      // Without the lock there is nothing to do in this round.
      if (!(await this.take(step))) return;
    }
    // A script that never releases leaves the section all the same: it has nothing more to do there.
    this.leave();
    await Promise.all(this.beside);
  }

  /** Resolves to whether the round goes on. */
  private async take(step: Step): Promise<boolean> {
    const { client, last } = this;
    if (step === 'release') {
      this.leave();
      if (last !== null) await release(client, last);
    } else if (step === 'write') {
      if (last !== null && this.isHeld) await write(client, last);
    } else if ('acquire' in step) return this.acquire(step.acquire);
    else if ('using' in step) {
      this.leave();
      this.last = null;
      await workUsing(client, step.using, step.using.ttl ?? this.defaultTtlMs);
    } else if ('extend' in step) {
      if (last !== null) await this.extend(last, step.extend, step.beside === true);
    } else if ('close' in step) {
      client.schedule(step.close, () => {
        void client.redlock.close();
      });
    } else await client.sleep(client.drawMs('work' in step ? step.work : step.rest));
    return true;
  }

  private async acquire(step: LockStep): Promise<boolean> {
    // It is done with what the former lock protected, and lets that expire.
    this.leave();
    this.last = await acquire(this.client, step, step.ttl ?? this.defaultTtlMs, 'workload');
    this.isHeld = this.last !== null;
    if (this.last === null) await Promise.all(this.beside);
    return this.isHeld;
  }

  private async extend(held: Held, ttlMs: number, isBeside: boolean): Promise<void> {
    const extension = extend(this.client, held, ttlMs);
    if (!isBeside) return extension;
    // What it throws is a defect, which ends the run when the round is over.
    extension.catch(() => undefined);
    this.beside.push(extension);
    return undefined;
  }

  private leave(): void {
    if (this.last !== null && this.isHeld) leaveSection(this.client, this.last);
    this.isHeld = false;
  }
}

async function acquire(
  client: WorkloadClient,
  step: LockStep,
  ttlMs: number,
  phase: Asked['phase'],
): Promise<Held | null> {
  const asked = recordAsked(client, step.resource, ttlMs, phase);
  const patience = patienceOf(client, step.giveUpAfter);
  try {
    const lock = await client.redlock.acquire(namesFor(asked.resources), ttlMs, retryOptionsOf(step, patience));
    const held = recordGranted(client, asked, lock);
    if (phase === 'workload') enterSection(client, held);
    return held;
  } catch (error) {
    recordFailed(client, asked, error);
    return null;
  } finally {
    patience?.cancel();
  }
}

async function write(client: WorkloadClient, { lock, lease }: Held): Promise<void> {
  for (const resource of lock.resources) {
    await client.write(client.nextWrite(), lease, resource, lock.token ?? null);
  }
}
