// Plain JavaScript, because the reaper is a process of its own that nobody compiles.
import Dockerode from 'dockerode';
import { setTimeout } from 'node:timers/promises';

const GIVE_UP_AFTER_ROUNDS = 50;
const LATE_COMERS_MS = 1000;
const ANSWER_WITHIN_MS = 30_000;

export async function removeLabelled(engine, labels) {
  const filters = { label: labels };
  let removed = 0;
  for (let round = 0; round < GIVE_UP_AFTER_ROUNDS; round += 1) {
    const containers = await engine.listContainers({ all: true, filters });
    const networks = await engine.listNetworks({ filters });
    if (containers.length + networks.length === 0) return removed;
    removed += containers.length;
    await Promise.all(containers.map(({ Id }) => remove(engine.getContainer(Id), { force: true, v: true })));
    for (const { Id } of networks) if (await remove(engine.getNetwork(Id))) removed += 1;
  }
  throw new Error(`Docker does not remove what carries the label ${labels.join(' and ')}`);
}

export async function removeRemains({ docker, labels }) {
  const engine = new Dockerode({ ...docker, timeout: ANSWER_WITHIN_MS });
  let removed;
  do {
    removed = await removeLabelled(engine, labels);
    await setTimeout(LATE_COMERS_MS);
  } while (removed > 0 || (await removeLabelled(engine, labels)) > 0);
}

/** Whether it was removed now: it may be gone already, on its way, or a network whose containers are. */
async function remove(thing, options) {
  try {
    await thing.remove(options);
    return true;
  } catch (error) {
    if (![403, 404, 409].includes(error?.statusCode)) throw error;
    return false;
  }
}
