/** What to do about the replies by which a Redis server refuses a command, by how they begin. */
const REMEDIES: readonly (readonly [beginning: RegExp, remedy: string])[] = [
  [/^READONLY/, 'this is a replica, and locks need independent masters'],
  [
    /^(NOAUTH|WRONGPASS|ERR (Client sent )?AUTH|ERR invalid password)/,
    'check `username` and `password` of this client',
  ],
  [
    /^(NOPERM|ERR The user executing the script can't|ERR ACL failure)/,
    'let this user run set, evalsha, eval, get, del, pttl and pexpire on the keys of locks, and info',
  ],
  [/^OOM/, 'the server is out of memory: give locks one that does not evict and is not full'],
  [/^MISCONF/, 'the server cannot save to disk, and refuses writes until it can'],
  [/^WRONGTYPE/, 'the key belongs to something else: set a `keyPrefix` that only locks use'],
  [
    /^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)/,
    'this is a node of Redis Cluster: hand over `new Cluster(…)` of ioredis, or use single masters',
  ],
  [
    /^ERR unknown command/i,
    'this is no Redis master; Sentinel, which usually listens on port 26379, is to be named in `sentinels`',
  ],
  [/^LOADING/, 'the server is still reading its data'],
  [/^BUSY/, 'a script of somebody else blocks the server'],
  [/^MASTERDOWN/, 'this is a replica that has lost its master, and locks need independent masters'],
  [/^NOREPLICAS/, 'the server lacks the replicas that its configuration asks for'],
  [/^ERR This instance has cluster support disabled/, 'hand over one new Redis(…) of ioredis for each single master'],
];

/** The name that ioredis gives an error with which a server answered. */
const REPLY_ERROR = 'ReplyError';

/** Whether it is an error with which a server answered. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === REPLY_ERROR;
}

/** Whether ioredis says that the connection went while a command was on its way. It words that by settings that users of locks never made. */
export function tellsOfLoss(error: Error): boolean {
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    error.name === 'AbortError' ||
    error.message === 'Connection is closed.'
  );
}

/** Whether the server does not know the script, which then did not run. */
export function lacksScript(error: Error): boolean {
  return error.message.startsWith('NOSCRIPT');
}

/**
 * The error without the command that ioredis attaches to what a server refuses: that of a refused login holds the password,
 * and errors end in logs with their causes.
 */
export function withoutCommand(error: Error): Error {
  if (!('command' in error)) return error;
  const copy = new Error(error.message);
  copy.name = error.name;
  return copy;
}

/** What {@link GATHERED} answers for a part that failed, as the error that a script alone would have failed with; null if it is no such answer. */
export function partError(answer: unknown): Error | null {
  if (!Array.isArray(answer) || answer.length !== 1 || typeof answer[0] !== 'string') return null;
  const error = new Error(answer[0]);
  error.name = REPLY_ERROR;
  return error;
}

/** Where in a script it was, which Redis 6.2 puts before the words of an error. */
const PLACE_IN_SCRIPT = /^(ERR Error running script .*?: )?(@user_script: ?\d+: )+-?/;

/** What an error says and, where that is known, what to do about it. */
export function advisedMessage(error: Error): string {
  const message = error.message.trim().replace(PLACE_IN_SCRIPT, '');
  const remedy = REMEDIES.find(([beginning]) => beginning.test(message))?.[1];
  return remedy === undefined ? message : `${message} (${remedy})`;
}

/** An error that says which node failed, why and, where that is known, what to do about it. */
export function nodeError(node: string, error: Error): Error {
  return new Error(`${node}: ${advisedMessage(error)}`, { cause: error });
}
