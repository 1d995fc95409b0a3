import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { readFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';

const LOWEST = 10_240;
/** Where systems begin to take ports for outgoing connections, if they do not say. */
const USUAL_END = 32_768;
/** So many ports belong to one process; a run takes some two hundred at the most. */
const BLOCK_LENGTH = 500;

/** The ports of this process: other runs on this machine keep away from them while the first of them is taken. */
let block: Promise<{ readonly first: number; readonly guard: Server }> | null = null;
let taken = 0;

/**
 * So many ports that were free a moment ago, all different, and that no other process which asks here will take: not even while a server is
 * down and its port is free. None of them is one that the system gives to outgoing connections: those could take it too.
 */
export async function freePorts(count: number): Promise<number[]> {
  block ??= claimBlock();
  const { first } = await block;
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > 2 * BLOCK_LENGTH) throw new Error(`there are no ${count} free ports from ${first} on`);
    // In turn, so that a port comes up again only long after it was given.
    taken = (taken % (BLOCK_LENGTH - 1)) + 1;
    const port = first + taken;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function claimBlock(): Promise<{ readonly first: number; readonly guard: Server }> {
  const count = Math.max(1, Math.floor((firstOutgoingPort() - LOWEST) / BLOCK_LENGTH));
  const start = randomInt(count);
  for (let index = 0; index < count; index += 1) {
    const first = LOWEST + ((start + index) % count) * BLOCK_LENGTH;
    const guard = await listen(first);
    if (guard !== null) return { first, guard: guard.unref() };
  }
  throw new Error(`${count} processes that run servers are too many for the ports from ${LOWEST} on`);
}

function firstOutgoingPort(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return USUAL_END;
  }
}

async function isFree(port: number): Promise<boolean> {
  const listener = await listen(port);
  if (listener === null) return false;
  listener.close();
  await once(listener, 'close');
  return true;
}

/** Null if somebody listens there. */
async function listen(port: number): Promise<Server | null> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return null;
  }
}
