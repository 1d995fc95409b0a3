import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where the tests' servers are: the host names that they connect to, with ports on this machine. */
export interface Places {
  readonly hosts: Readonly<Record<string, readonly number[]>>;
  /** For tests that connect to localhost, by the number of the database that they choose. */
  readonly databases: readonly number[];
}

/** An ioredis that connects to the places in place of what tests name. `ioredis` is the path of the real one. */
function ioredisStandIn(ioredis: string, { hosts, databases }: Places): string {
  return `
const real = require(${JSON.stringify(ioredis)});
const hosts = ${JSON.stringify(hosts)};
const databases = ${JSON.stringify(databases)};
const portsOf = ({ host }) => hosts[host] ?? [];
function place(options = {}) {
  const [port] = portsOf(options);
  if (port !== undefined) return { ...options, host: '127.0.0.1', port };
  // An address of the test's own, where nobody is to listen: no server of this machine's own either.
  if (options.host !== undefined) return { ...options, port: 1 };
  const { db = 0, ...others } = options;
  return { ...others, host: '127.0.0.1', port: databases[db] };
}
class Redis extends real.Redis {
  constructor(options) {
    super(place(options));
  }
}
class Cluster extends real.Cluster {
  constructor(nodes, options) {
    super(nodes.flatMap((node) => portsOf(node).map((port) => ({ host: '127.0.0.1', port }))), options);
  }
}
for (const [name, value] of Object.entries({ default: Redis, Redis, Cluster })) Object.defineProperty(Redis, name, { value });
module.exports = Redis;
`;
}

/** A node-redis whose clients are of ioredis, which distrilock is for. */
const REDIS = `
const { Redis } = require('ioredis');
module.exports = { createClient: () => new Redis() };
`;

/** Redlock 4 with bluebird's promises, which is what its tests expect. */
const REDLOCK_4 = `
const { Redlock } = require('./adapter.cjs');
module.exports = class extends Redlock {
  constructor(clients, options) {
    super(clients, { ...options, Promise: require('bluebird') });
  }
};
`;

const REDLOCK_5 = `
export { Redlock as default, ExecutionError, ResourceLockedError } from './adapter.mjs';
`;

const SESAMECARE = `
export { Redlock, Lock, ExecutionError, ResourceLockedError } from './adapter.mjs';
`;

const IOREDIS_AS_ES_MODULE = `
import Redis from './index.cjs';
export default Redis;
export const { Cluster } = Redis;
export { Redis };
`;

/** Settings of vitest: mocked modules are resolved as the tests name them. */
const VITEST_CONFIG = `
export default { test: { include: ['*.spec.ts'], testTimeout: 30_000, fileParallelism: false } };
`;

/**
 * Writes the modules that take the place of what tests import, into the folder that the tests lie in.
 *
 * @param ioredis the path of the real one
 */
export async function writeStandIns(
  folder: string,
  suite: 'redlock-4' | 'redlock-5' | 'sesamecare-redlock',
  ioredis: string,
  places: Places,
): Promise<void> {
  const entry = { import: './index.mjs', require: './index.cjs' };
  const files: Record<string, string> = {
    'node_modules/ioredis/package.json': JSON.stringify({ name: 'ioredis', main: './index.cjs', exports: entry }),
    'node_modules/ioredis/index.cjs': ioredisStandIn(ioredis, places),
    'node_modules/ioredis/index.mjs': IOREDIS_AS_ES_MODULE,
  };
  switch (suite) {
    case 'redlock-4':
      files['node_modules/redis/index.js'] = REDIS;
      files['redlock.js'] = REDLOCK_4;
      break;
    case 'redlock-5':
      files['package.json'] = JSON.stringify({ type: 'module' });
      files['index.js'] = REDLOCK_5;
      break;
    case 'sesamecare-redlock':
      files['index.ts'] = SESAMECARE;
      files['vitest.config.mjs'] = VITEST_CONFIG;
      break;
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
