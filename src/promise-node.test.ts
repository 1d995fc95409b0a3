import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LockCommand, LockNode, LockReply } from './lock-node.ts';
import { nodeFromPromises } from './promise-node.ts';

const command: LockCommand = { kind: 'inspect', key: 'lock:r', timeoutMs: 10 };

function ask(node: LockNode): Promise<LockReply> {
  return new Promise((resolve, reject) => {
    let isWithinCall = true;
    node.execute(command, (reply) => {
      if (isWithinCall) reject(new Error('answered within the call'));
      else resolve(reply);
    });
    isWithinCall = false;
  });
}

const rejections: unknown[] = [];
const noteRejection = (reason: unknown): void => void rejections.push(reason);
beforeAll(() => void process.on('unhandledRejection', noteRejection));
afterAll(() => {
  process.off('unhandledRejection', noteRejection);
  expect(rejections).toEqual([]);
});

describe('a node of a function that returns promises', () => {
  it('answers what the promise resolves to', async () => {
    const commands: LockCommand[] = [];
    const node = nodeFromPromises('here', (given) => {
      commands.push(given);
      return Promise.resolve({ kind: 'held' });
    });
    expect(node.id).toBe('here');
    expect(node.connection).toBeUndefined();
    expect(await ask(node)).toEqual({ kind: 'held' });
    expect(commands).toEqual([command]);
  });

  it('has failed when the promise rejects or the function throws', async () => {
    const error = new Error('broken');
    const rejects = nodeFromPromises('here', () => Promise.reject(error));
    const throws = nodeFromPromises('here', () => {
      throw error;
    });
    for (const node of [rejects, throws]) expect(await ask(node)).toEqual({ kind: 'failed', error, sent: true });
  });

  it('makes an error of whatever else was thrown', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the case
    const node = nodeFromPromises('here', () => Promise.reject('a word'));
    const reply = await ask(node);
    expect(reply).toMatchObject({ kind: 'failed', error: { message: 'here failed with a word', cause: 'a word' } });
  });

  it('hands on the connection', () => {
    const connection = { owned: true, quit: () => Promise.resolve() };
    const node = nodeFromPromises('here', () => Promise.resolve({ kind: 'held' }), connection);
    expect(node.connection).toBe(connection);
  });
});
