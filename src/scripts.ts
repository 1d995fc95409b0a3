/**
 * A Lua script and the name by which a server that has seen it knows it: the SHA-1 of its text, written down here because
 * the library itself hashes nothing. A test compares them.
 */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

// What the scripts that acquire are made of. Every script looks at its lock first: an observer can tell then which command met an expired key.
// SET … NX first would take a server a tenth less for a key that is free, and half as much again for one that is held; and a full server would refuse
// what only meets a key.

const LOOK = `
local holder = redis.call('GET', KEYS[1])
`;

const REFUSE_IF_HELD = `if holder and holder ~= ARGV[1] then
  return false
end
`;

const DRAW_TOKEN = `local counter = tonumber(redis.call('GET', KEYS[2]) or '0')
if not counter or counter < 0 or counter ~= math.floor(counter) then
  return redis.error_reply('ERR the fencing counter ' .. KEYS[2] .. ' does not hold a whole number')
end
local token = math.max(counter + 1, tonumber(ARGV[3]))
if token > 9007199254740991 then
  return redis.error_reply('ERR the fencing counter ' .. KEYS[2] .. ' is used up')
end
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text)
`;

const STORE = `if not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
`;

/** What the answer to an acquire ends with where its own value was there before: the node knows whether that may count. */
export const AGAIN = 'again';

const GRANT = `return holder and '${AGAIN}' or 1
`;

const GRANT_TOKEN = `return holder and text .. ' ${AGAIN}' or text
`;

/**
 * `run` names what the marker must hold: the run_id of the process, which is the argument at `argument`, and the id of its replication history. The
 * process changes that when it is promoted, also where it had been demoted, has taken on the keys of another, and kept the connection all the while.
 * That costs a server some microseconds, so of scripts that travel together, which are called with one table of keys, the first asks for all.
 */
function nameRun(argument: number): string {
  return `local history = KEYS.history
if not history then
  history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
  KEYS.history = history
end
local run = ARGV[${argument}] .. ' ' .. history
`;
}

/** Marker and quarantine are the keys at `key` and after it; the run_id and the quarantine's time to live (ms), the arguments at `argument` and after it. */
function refuseIfQuarantined(key: number, argument: number): string {
  return `${nameRun(argument)}if redis.call('GET', KEYS[${key}]) ~= run then
  redis.call('SET', KEYS[${key + 1}], run, 'PX', ARGV[${argument + 1}])
  redis.call('SET', KEYS[${key}], run)
  return 'quarantined'
end
if redis.call('GET', KEYS[${key + 1}]) then
  return 'quarantined'
end
`;
}

/** KEYS: the lock. ARGV: value, time to live (ms). Answers 1, or {@link AGAIN}, or nil where another value is there. A lone acquire is a plain SET instead. */
export const ACQUIRE: Script = {
  lua: `${LOOK}${REFUSE_IF_HELD}${STORE}${GRANT}`,
  sha1: '73d62b0535c1545f3dff9e8b9972c988ec7e0f53',
};

/**
 * KEYS: the lock, its counter. ARGV: value, time to live (ms), least token wanted. Answers the token as text, with ` again` where
 * the value was there before, or nil where another value is there. A counter that is no number, or that would leave the integers that a double holds exactly, is an error
 * before anything is written.
 */
export const ACQUIRE_WITH_TOKEN: Script = {
  lua: `${LOOK}${REFUSE_IF_HELD}${DRAW_TOKEN}${STORE}${GRANT_TOKEN}`,
  sha1: '1e016c99e947647785c2040802001974e7458d96',
};

/**
 * KEYS: the lock, marker, quarantine. ARGV: value, time to live (ms), run_id, time to live of the quarantine (ms). Answers 1, or {@link AGAIN},
 * nil where another value is there, or `quarantined`.
 */
export const ACQUIRE_GUARDED: Script = {
  lua: `${LOOK}${refuseIfQuarantined(2, 3)}${REFUSE_IF_HELD}${STORE}${GRANT}`,
  sha1: '1188613513ba96c2f10f26eef66e89588532c1cd',
};

/** As {@link ACQUIRE_WITH_TOKEN}, with marker and quarantine, run_id and time to live of the quarantine (ms) at the end; may answer `quarantined`. */
export const ACQUIRE_GUARDED_WITH_TOKEN: Script = {
  lua: `${LOOK}${refuseIfQuarantined(3, 4)}${REFUSE_IF_HELD}${DRAW_TOKEN}${STORE}${GRANT_TOKEN}`,
  sha1: '3b67a7ea0ab5cf9f2da36757ee40eddd789427d6',
};

/** KEYS: marker, quarantine. ARGV: run_id. Answers 1. */
export const ADMIT: Script = {
  lua: `
${nameRun(1)}redis.call('SET', KEYS[1], run)
redis.call('DEL', KEYS[2])
return 1
`,
  sha1: 'da8bc455256044583ffff93f01b863b09eaa4d21',
};

/** KEYS: the lock, its counter. ARGV: value, token. Answers 1 if the counter was raised to the token, or 0. */
export const COMMIT: Script = {
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local counter = tonumber(redis.call('GET', KEYS[2]) or '0')
if not counter or counter > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[2], ARGV[2])
return 1
`,
  sha1: '41367f0e0a07e8aab96e4bbb4a4098d19c579b79',
};

/** KEYS: the lock. ARGV: value, time to live (ms). Answers 1 if the lock holds the value, or 0. Redis 6.2 has no `PEXPIRE … GT`. */
export const EXTEND: Script = {
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
`,
  sha1: '264aff0eaf5ae483cbfdd69c367d28ad02f49fa6',
};

/** KEYS: the lock. ARGV: value. Answers 1 if the lock was deleted, or 0. */
export const RELEASE: Script = {
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
`,
  sha1: 'f65c9133aec7eaa15a786213fa50440e04a37b6b',
};

/** KEYS: the lock. Answers its value or nil, and the milliseconds it still has to live, negative where there are none. */
export const INSPECT: Script = {
  lua: `
return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }
`,
  sha1: 'e8a49e6378044252aa248417fc1ba63bd50159fd',
};
