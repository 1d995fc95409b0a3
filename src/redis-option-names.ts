import type { RedisOptions } from 'ioredis';

/** The options of ioredis 5 and 6, and whether they say where the server is. The compiler sees to it that none is missing. */
const SAYS_WHERE: Readonly<Record<keyof RedisOptions, boolean>> = {
  host: true,
  port: true,
  path: true,
  sentinels: true,
  Connector: true,
  autoPipeliningIgnoredCommands: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  blockingTimeout: false,
  blockingTimeoutGrace: false,
  clientInfoTag: false,
  commandQueue: false,
  commandTimeout: false,
  connectTimeout: false,
  connectionName: false,
  db: false,
  disableClientInfo: false,
  disconnectTimeout: false,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  enableTLSForSentinelMode: false,
  failoverDetector: false,
  family: false,
  himportFieldsets: false,
  keepAlive: false,
  keyPrefix: false,
  lazyConnect: false,
  maxLoadingRetryTime: false,
  maxRetriesPerRequest: false,
  monitor: false,
  name: false,
  natMap: false,
  noDelay: false,
  offlineQueue: false,
  password: false,
  preferredSlaves: false,
  protocol: false,
  readOnly: false,
  reconnectOnError: false,
  replyMapping: false,
  retryStrategy: false,
  role: false,
  scripts: false,
  sentinelCommandTimeout: false,
  sentinelMaxConnections: false,
  sentinelPassword: false,
  sentinelReconnectStrategy: false,
  sentinelRetryStrategy: false,
  sentinelTLS: false,
  sentinelUsername: false,
  showFriendlyErrorStack: false,
  socketTimeout: false,
  stringNumbers: false,
  tls: false,
  updateSentinels: false,
  username: false,
};

/**
 * The first option that ioredis does not know, of options that do not say where the server is; undefined if there is none. Such a
 * one is a slip of the pen, which would quietly mean localhost; beside a place, it may be an option of a newer ioredis.
 */
export function misspelledOption(options: object): string | undefined {
  const names = Object.keys(options);
  const isKnown = (name: string): name is keyof RedisOptions => Object.hasOwn(SAYS_WHERE, name);
  if (names.some((name) => isKnown(name) && SAYS_WHERE[name])) return undefined;
  return names.find((name) => !isKnown(name));
}
