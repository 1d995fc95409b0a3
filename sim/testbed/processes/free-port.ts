import { once } from 'node:events';
import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';

const LOWEST = 10_240;
/** Where systems begin to take ports for outgoing connections, if they do not say. */
const USUAL_END = 32_768;

/**
 * So many ports that were free a moment ago, all different. None of them is one that the system gives to outgoing connections: those could take the port
 * of a server that is down, and it could never come back.
 */
export async function freePorts(count: number): Promise<number[]> {
  const end = Math.max(LOWEST + 10 * count, firstOutgoingPort());
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST, end);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function firstOutgoingPort(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return USUAL_END;
  }
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer().listen(port, '127.0.0.1');
  try {
    await once(listener, 'listening');
  } catch {
    return false;
  }
  listener.close();
  await once(listener, 'close');
  return true;
}
