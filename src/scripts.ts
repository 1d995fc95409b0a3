/**
 * A Lua script and the name by which a server that has seen it knows it: the SHA-1 of its text, written down here because
 * the library itself hashes nothing. A test compares them.
 */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

/**
 * KEYS: the lock, its counter. ARGV: value, time to live (ms), least token wanted. Answers the token as text, or nil where another
 * value is there. A counter that is no number, or that would leave the integers that a double holds exactly, is an error
 * before anything is written.
 */
export const ACQUIRE_WITH_TOKEN: Script = {
  lua: `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return false
end
local counter = tonumber(redis.call('GET', KEYS[2]) or '0')
if not counter or counter < 0 or counter ~= math.floor(counter) then
  return redis.error_reply('ERR the fencing counter ' .. KEYS[2] .. ' does not hold a whole number')
end
local token = math.max(counter + 1, tonumber(ARGV[3]))
if token > 9007199254740991 then
  return redis.error_reply('ERR the fencing counter ' .. KEYS[2] .. ' is used up')
end
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text)
if not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return text
`,
  sha1: '9fd4943e3f61f8925ba5581ad45182f3b03b7969',
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
