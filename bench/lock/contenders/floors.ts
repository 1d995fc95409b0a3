import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { type Contender, contender, TTL_MS } from '../contender.ts';

const DELETE_OWN = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
const DELETE_OWN_SHA1 = createHash('sha1').update(DELETE_OWN).digest('hex');
const VALUE_BYTES = 20;

interface Held {
  readonly key: string;
  readonly value: string;
}

/** Resolves once so many of the answers are the wanted one, and rejects once that cannot be any more. */
function agreed<Answer>(answers: readonly Promise<Answer>[], wanted: Answer, needed: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let votesFor = 0;
    let votesAgainst = 0;
    for (const answer of answers) {
      answer.then(
        (given) => {
          if (given === wanted) {
            votesFor += 1;
            if (votesFor === needed) resolve();
          } else {
            votesAgainst += 1;
            if (votesAgainst > answers.length - needed) reject(new Error('denied'));
          }
        },
        () => {
          votesAgainst += 1;
          if (votesAgainst > answers.length - needed) reject(new Error('unreachable'));
        },
      );
    }
  });
}

/** The least that any Redlock must do: SET NX PX on every node, then a script that deletes. No clean-up, no timeouts, no clocks. */
function floor(id: string, title: string, neededOf: (nodeCount: number) => number): Contender {
  return contender<Held>({ id, title, kind: 'floor', folder: 'ioredis' }, async (clients) => {
    await Promise.all(clients.map((client: Redis) => client.script('LOAD', DELETE_OWN)));
    const needed = neededOf(clients.length);
    return {
      async acquire(resource) {
        const key = `${id}:${resource}`;
        const value = randomBytes(VALUE_BYTES).toString('hex');
        const answers = clients.map((client) => client.set(key, value, 'PX', TTL_MS, 'NX'));
        await agreed(answers, 'OK', needed);
        return { key, value };
      },
      release: ({ key, value }) =>
        agreed(
          clients.map((client) => client.evalsha(DELETE_OWN_SHA1, 1, key, value)),
          1,
          needed,
        ),
    };
  });
}

/** What all figures are compared with: each step is over with the answers of a quorum. */
export const quorumFloor: Contender = floor(
  'floor',
  'raw commands, quorum',
  (nodeCount) => Math.floor(nodeCount / 2) + 1,
);

/** Each step waits for the answers of all nodes. */
export const waitingFloor: Contender = floor('floor-all', 'raw commands, waiting for all', (nodeCount) => nodeCount);
