import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type Dockerode from 'dockerode';
import { removeLabelled } from './container-remains.mjs';

/** What all containers and networks of a run carry, with a value of the run's own. */
export const RUN_LABEL = 'distrilock.run';
/** Whose they are: the number of a process. */
export const PROCESS_LABEL = 'distrilock.process';
/** Where that number means this process. */
const HOST_LABEL = 'distrilock.host';

/** What the containers and networks of a run of this process carry. */
export function labelsOf(run: string): Readonly<Record<string, string>> {
  const place = placeOfProcesses();
  return {
    [RUN_LABEL]: run,
    [PROCESS_LABEL]: String(process.pid),
    ...(place === null ? {} : { [HOST_LABEL]: place }),
  };
}

/** Removes what processes have left that are dead, where that is certain: where their numbers mean the same as here. */
export async function removeOrphans(engine: Dockerode): Promise<void> {
  const place = placeOfProcesses();
  if (place === null) return;
  const ofThisHost = `${HOST_LABEL}=${place}`;
  const filters = { label: [ofThisHost] };
  const [containers, networks] = await Promise.all([
    engine.listContainers({ all: true, filters }),
    engine.listNetworks({ filters }),
  ]);
  const owners = new Set([...containers, ...networks].map(({ Labels }) => Labels?.[PROCESS_LABEL] ?? ''));
  for (const pid of owners) {
    if (isDead(Number(pid))) await removeLabelled(engine, [ofThisHost, `${PROCESS_LABEL}=${pid}`]);
  }
}

/** The host, its boot and the namespace in which processes are numbered: several hosts and containers may share one daemon. Null where Linux does not tell. */
function placeOfProcesses(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${hostname()}/${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

function isDead(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
