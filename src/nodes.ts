import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { DistinctServers } from './distinct-servers.ts';
import type { Environment } from './environment.ts';
import { InvalidOptionError } from './errors.ts';
import { type IoredisClient, isIoredisClient } from './ioredis-client.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { LockNode } from './lock-node.ts';
import { connectTo } from './own-client.ts';
import { misspelledOption } from './redis-option-names.ts';

/**
 * One Redis master: a connected `Redis` or `Cluster` of ioredis, the options to connect one with, or a LockNode.
 * A whole Redis Cluster counts as one node.
 */
export type RedlockClient = Redis | Cluster | RedisOptions | LockNode;

const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = 6379;
const LARGEST_PORT = 65_535;

/** A node that passed all checks, and whose connection is not opened yet. */
interface Candidate {
  readonly id: string;
  /** Where the server listens, by one name for each way to write it; or the id of a node whose place is unknown. */
  readonly place: string;
  open(servers: DistinctServers): LockNode;
}

/**
 * Makes a LockNode of each client. Opens no connection unless all clients are in order.
 *
 * @param servers learns which servers the connections lead to
 * @throws InvalidOptionError for no clients, for the same node twice (the same object, place or id), and for anything
 *   that is neither an ioredis client nor what one can be made of
 */
export function nodesFrom(
  clients: readonly RedlockClient[],
  environment: Environment,
  isGuarded = false,
  servers: DistinctServers = new DistinctServers(),
): LockNode[] {
  if (!Array.isArray(clients)) {
    throw new InvalidOptionError(
      'clients',
      'must be an array with one ioredis client, or its RedisOptions, for each Redis master',
    );
  }
  if (clients.length === 0) {
    throw new InvalidOptionError(
      'clients',
      'must not be empty: give one ioredis client, or its RedisOptions, for each Redis master',
    );
  }
  const candidates: Candidate[] = [];
  // Not forEach, which skips the holes of an array.
  for (let index = 0; index < clients.length; index += 1) {
    const candidate = candidateFrom(clients[index], `clients[${index}]`, environment, isGuarded);
    const twin = candidates.findIndex(({ id, place }) => id === candidate.id || place === candidate.place);
    if (twin !== -1) {
      throw new InvalidOptionError(
        `clients[${index}]`,
        `is the same node as clients[${twin}] (${candidate.id}): it would have two votes; give each Redis master once`,
      );
    }
    candidates.push(candidate);
  }
  return candidates.map((candidate) => candidate.open(servers));
}

function candidateFrom(client: unknown, name: string, environment: Environment, isGuarded: boolean): Candidate {
  if (typeof client !== 'object' || client === null) throw new InvalidOptionError(name, problemOfPrimitive(client));
  if (isLockNode(client)) return { id: client.id, place: client.id, open: () => client };
  if (isIoredisClient(client)) {
    if (client.isCluster && isGuarded) {
      throw new InvalidOptionError(
        name,
        'is a Redis Cluster, whose servers restart one by one: restartGuard needs a client for each master',
      );
    }
    const wish = problemOfRole(client.options);
    if (wish !== null) throw new InvalidOptionError(name, wish);
    const id = client.isCluster ? clusterId(client) : optionsId(client.options);
    const open = (servers: DistinctServers): LockNode =>
      new IoredisNode(id, client, { owned: false, environment, servers });
    return { id, place: placeOf(id), open };
  }
  const problem = problemOfObject(client);
  if (problem !== null) throw new InvalidOptionError(name, problem);
  const id = optionsId(client);
  const open = (servers: DistinctServers): LockNode =>
    new IoredisNode(id, connectTo(client, environment), { owned: true, environment, servers });
  return { id, place: placeOf(id), open };
}

function isLockNode(value: object): value is LockNode {
  const { id, execute } = value as Partial<LockNode>;
  return typeof id === 'string' && typeof execute === 'function';
}

function problemOfPrimitive(client: unknown): string {
  if (typeof client === 'string') {
    // A URL may hold a password, and messages end in logs.
    const url = client.replace(/\/\/.*@/, '//…@');
    return `must not be a string: write new Redis(${JSON.stringify(url)}) with Redis from ioredis, or { host, port }`;
  }
  if (typeof client === 'number') return `must not be a number: write { host: '${DEFAULT_HOST}', port: ${client} }`;
  return `must be an ioredis client, RedisOptions or a LockNode, not ${client === null ? 'null' : typeof client}`;
}

/** What keeps an object from being RedisOptions; null if nothing does. */
function problemOfObject(client: object): string | null {
  if (Array.isArray(client))
    return 'must be a single client, not an array: a Redis Cluster is handed over as new Cluster(…) of ioredis';
  if ('then' in client) return 'is a promise: await it';
  if ('isOpen' in client || 'sendCommand' in client) {
    return "is no client of ioredis, but perhaps one of node-redis: make one with new Redis({ host, port }) of the package 'ioredis'";
  }
  if ('execute' in client) return 'has `execute`, but no `id` that is a string: a LockNode needs both';
  const prototype: unknown = Object.getPrototypeOf(client);
  if (prototype !== Object.prototype && prototype !== null) {
    return `is a ${client.constructor.name}: it must be an ioredis client, RedisOptions or a LockNode`;
  }
  if ('url' in client || 'socket' in client) {
    return 'has `url` or `socket`, which are options of node-redis: ioredis takes { host, port }, or new Redis(url)';
  }
  const misspelled = misspelledOption(client);
  if (misspelled !== undefined) {
    return `has \`${misspelled}\`, which is no option of ioredis, and nothing that says where the server is: it takes { host, port }, { path } or { sentinels, name }`;
  }
  return problemOfOptions(client);
}

function problemOfOptions(options: RedisOptions): string | null {
  const { host, port, path, sentinels, name } = options;
  if (host !== undefined && typeof host !== 'string') return `has a host that is no string, but ${typeof host}`;
  if (path !== undefined && typeof path !== 'string') return `has a path that is no string, but ${typeof path}`;
  // JavaScript callers may give it as text, as ioredis allows.
  const portText: unknown = port ?? DEFAULT_PORT;
  const portNumber = Number(portText);
  if (!(Number.isInteger(portNumber) && portNumber >= 1 && portNumber <= LARGEST_PORT)) {
    return `has the port ${String(port)}: it must be a whole number from 1 to ${LARGEST_PORT}`;
  }
  if (Array.isArray(sentinels) && typeof name !== 'string') {
    return 'has `sentinels`, but no `name` of the master that they watch';
  }
  return problemOfRole(options);
}

function problemOfRole({ role }: RedisOptions): string | null {
  if (role !== 'slave') return null;
  return "has the `role` 'slave', by which Sentinels name a replica: locks need the master, so leave `role` out";
}

/** `host:port`, the path of a socket, or the master's name at its Sentinels. */
function optionsId({ host, port, path, sentinels, name }: RedisOptions): string {
  if (Array.isArray(sentinels) && sentinels.length > 0) {
    return `${name ?? 'mymaster'}@${sentinels.map((sentinel) => optionsId(sentinel)).join(',')}`;
  }
  // ioredis prefers a path, and takes null for an option that is not set.
  return path ?? `${host ?? DEFAULT_HOST}:${port ?? DEFAULT_PORT}`;
}

/** All the servers that a cluster client was told of. */
function clusterId(client: IoredisClient): string {
  const { startupNodes } = client as { startupNodes?: readonly unknown[] };
  const nodes = Array.isArray(startupNodes) ? startupNodes : [];
  return `cluster of ${nodes.map((node) => startupNodeId(node)).join(',')}`;
}

function startupNodeId(node: unknown): string {
  if (typeof node === 'object' && node !== null) return optionsId(node);
  return typeof node === 'number' ? `127.0.0.1:${node}` : String(node);
}

function placeOf(id: string): string {
  if (id.startsWith('/')) return id;
  return id.toLowerCase().replaceAll(/(^|[@, ])(localhost|::1|127\.0\.0\.1)(?=:\d)/g, '$1localhost');
}
