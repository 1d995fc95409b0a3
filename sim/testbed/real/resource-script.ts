import type { WriteDecision } from '../../workload/protected-resource.ts';

/**
 * The protected resource on real servers: a Redis of its own. The script takes a write unless it carries a smaller token than one that it
 * has taken, and answers what it decided: 1, or the largest token so far.
 *
 * KEYS: what is written to. ARGV: write, lease, token (empty without fencing), client.
 */
export const WRITE_SCRIPT = `
local largest = redis.call('HGET', KEYS[1], 'token')
if ARGV[3] ~= '' then
  if largest and tonumber(ARGV[3]) < tonumber(largest) then
    return largest
  end
  redis.call('HSET', KEYS[1], 'token', ARGV[3])
end
redis.call('HSET', KEYS[1], 'write', ARGV[1], 'lease', ARGV[2], 'client', ARGV[4])
return 1
`;

/** The keys of the resource begin so. */
export const RESOURCE_PREFIX = 'resource:';

/** What an answer of the script means. */
export function decisionOf(answer: unknown): WriteDecision {
  return answer === 1 ? { accepted: true } : { accepted: false, largestToken: Number(answer) };
}
