import { describe, expect, it, vi } from 'vitest';
import { NodeObserver } from './node-observer.ts';

const TTL_MS = 1000;

/** An observer that has seen its node set two keys, and a server whose clock reads `aheadMs` more than this host's. */
async function observerOf(
  aheadMs: number,
  exists: (...keys: string[]) => number,
): Promise<{ readonly observer: NodeObserver; readonly asked: string[][] }> {
  const observer = new NodeObserver({
    node: 'n1',
    address: { host: '127.0.0.1', port: 1 },
    keyPrefix: 'lock:',
    nowUs: () => 0,
    hasSteadyClock: false,
    onExecuted: () => undefined,
    onKeyLost: () => undefined,
    onLost: () => undefined,
  });
  const asked: string[][] = [];
  const client = {
    exists: (...keys: string[]) => {
      asked.push(keys);
      return Promise.resolve(exists(...keys));
    },
  };
  vi.spyOn(observer.connection, 'client', 'get').mockReturnValue(client as never);
  vi.spyOn(observer.connection, 'wallMs').mockImplementation(() => Promise.resolve(Date.now() + aheadMs));
  vi.spyOn(observer.connection, 'catchUp').mockResolvedValue();
  for (const [key, ttlMs] of [
    ['lock:short', TTL_MS],
    ['lock:long', 100 * TTL_MS],
  ] as const) {
    observer.model.onCommand(['set', key, 'value', 'PX', String(ttlMs), 'NX'], Date.now(), 0);
  }
  await observer.readClock();
  return { observer, asked };
}

describe('touchKeys', () => {
  it('asks for all keys once, where none is over', async () => {
    const { observer, asked } = await observerOf(0, (...keys) => keys.length);
    await observer.touchKeys();
    expect(asked).toEqual([['lock:short', 'lock:long']]);
  });

  it('asks again for those that are over, until the server has looked at its clock', async () => {
    let looks = 0;
    const { observer, asked } = await observerOf(10 * TTL_MS, () => (++looks < 5 ? 1 : 0));
    await observer.touchKeys();
    expect(asked).toEqual([['lock:short', 'lock:long'], ...Array.from({ length: 4 }, () => ['lock:short'])]);
  });

  it('fails where a server never does', async () => {
    const { observer } = await observerOf(10 * TTL_MS, () => 1);
    await expect(observer.touchKeys()).rejects.toThrow('n1 does not let keys go that are over by its clock');
  });
});
