import { describe, expect, it } from 'vitest';
import { NOWHERE } from '../../../test/skip-reporter.ts';
import { FrozenRedis, isValkey, redisServers, SERVERS_VARIABLE, versionOf } from '../../../test/frozen-redis.ts';
import { CASES, START_MS, transcript } from '../lock-node.conformance.ts';
import { libfaketime } from '../processes/faketime.ts';
import { describeRealServer, modelSubject, WAYS } from '../real/real-lock-node.conformance.ts';

const RANDOM_SEQUENCES = 3000;

describe.each(WAYS)('the model node, commands %s', (way) => {
  it.each(CASES)('$title', async ({ steps, answers }) => {
    expect(await transcript(modelSubject(), steps, '', way)).toEqual(answers);
  });
});

const servers = libfaketime() === null ? [] : redisServers();

if (servers.length === 0) {
  describe.skip(`the model node against real servers (needs redis-server, libfaketime and libtcmalloc-minimal4: apt-get install redis-server libfaketime libtcmalloc-minimal4; or name servers in ${SERVERS_VARIABLE})`, () => {
    it('answers like a real server', () => undefined);
  });
}

const valkeys = servers.filter(isValkey);

if (valkeys.length > 0) {
  describe.skip(`the model node against Valkey (${NOWHERE}: it counts the processor's cycles between two looks at the clock, so that it cannot be made to stand still; ${valkeys.join(', ')})`, () => {
    it('answers like a real server', () => undefined);
  });
}

for (const path of servers.filter((one) => !isValkey(one))) {
  describeRealServer(
    `redis-server ${versionOf(path)} at ${path}`,
    () => FrozenRedis.start(path, START_MS),
    RANDOM_SEQUENCES,
  );
}
