import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServer } from '../../../test/redis-server.ts';
import type { HistoryEvent } from '../../history/event.ts';
import { ProtectedResource, type WriteDecision, type WriteRequest } from '../../workload/protected-resource.ts';
import { ResourceObserver } from './observers/resource-observer.ts';
import { decisionOf, RESOURCE_PREFIX, WRITE_SCRIPT } from './resource-script.ts';

const tokens = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 1, max: 9 }),
  // The largest that a double holds exactly, and its neighbours.
  fc.constantFrom(2 ** 52, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER),
);
const writes = fc.array(
  fc.record({ resource: fc.constantFrom('a', 'b', '" "', 'é'), token: tokens, lease: fc.nat(99) }),
  {
    minLength: 1,
    maxLength: 25,
  },
);

describe.skipIf(!hasRedisServer)(`the protected resource on a real server (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    server = await startRedisServer();
    client = new Redis({ host: '127.0.0.1', port: server.port });
  });

  afterAll(async () => {
    client.disconnect();
    await server[Symbol.asyncDispose]();
  });

  async function write(
    prefix: string,
    { write: number, lease, resource, token }: WriteRequest,
  ): Promise<WriteDecision> {
    const key = RESOURCE_PREFIX + prefix + resource;
    const answer = await client.eval(WRITE_SCRIPT, 1, key, number, lease, token === null ? '' : String(token), 'A');
    return decisionOf(answer);
  }

  async function observe(record: (event: HistoryEvent) => void = () => undefined): Promise<ResourceObserver> {
    const observer = new ResourceObserver({
      address: { host: '127.0.0.1', port: server.port },
      nowUs: () => 7,
      onLost: (error) => {
        throw error;
      },
      record,
    });
    await observer.connection.open();
    return observer;
  }

  it('decides like its model, and is seen to', async () => {
    let runs = 0;
    const events: HistoryEvent[] = [];
    const observer = await observe((event) => events.push({ ...event, timeUs: 7 } as HistoryEvent));
    await fc.assert(
      fc.asyncProperty(writes, async (requests) => {
        runs += 1;
        events.length = 0;
        const prefix = `run-${runs}-`;
        const model = new ProtectedResource();
        const expected: HistoryEvent[] = [];
        for (const [index, request] of requests.entries()) {
          const whole = { ...request, write: index + 1 };
          const reply = model.write(whole);
          expect(await write(prefix, whole)).toEqual(reply);
          const facts = {
            timeUs: 7,
            client: 'A',
            write: index + 1,
            lease: request.lease,
            resource: prefix + request.resource,
            token: request.token,
          };
          if (reply.accepted) expected.push({ type: 'write-accepted', ...facts });
          else expected.push({ type: 'write-refused', ...facts, largestToken: reply.largestToken });
        }
        await observer.connection.catchUp();
        expect(events).toEqual(expected);
        expect(await observer.findMismatch()).toBeNull();
      }),
      { seed: 1, numRuns: 150 },
    );
    observer.connection.close();
  });

  it('keeps who wrote last', async () => {
    await write('last-', { write: 4, lease: 2, resource: 'r', token: 5 });
    await write('last-', { write: 5, lease: 3, resource: 'r', token: 4 });
    expect(await client.hgetall(`${RESOURCE_PREFIX}last-r`)).toEqual({
      token: '5',
      write: '4',
      lease: '2',
      client: 'A',
    });
  });

  it('is found out if it stores what it was not seen to take', async () => {
    const observer = await observe();
    await write('honest-', { write: 6, lease: 2, resource: 'r', token: 5 });
    await write('false-', { write: 7, lease: 3, resource: 'r', token: null });
    expect(await observer.findMismatch()).toBeNull();
    await client.hset(`${RESOURCE_PREFIX}false-r`, { write: '8', token: '2' });
    expect(await observer.findMismatch()).toBe(
      'the resource has stored write 8, lease 3, client A, token 2 for false-r, but by what was seen of it that had to be write 7, lease 3, client A, token none',
    );
    observer.connection.close();
  });
});
