import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunLostError } from '../testbed-error.ts';
import { NodeClock, visibleAfterMs, visibleMoveMs } from './node-clock.ts';
import type { ClockSkew } from './servers/server-fleet.ts';

const EPOCH_MS = 1_800_000_000_000;

/** A server whose clock is set as it is told, plus some error, and whose answers take as long as a test says. */
class FakeServer {
  errorMs = 0;
  obeysOffset = true;
  obeysRate = true;
  /** How long the next answers take; those after them take no time. */
  delaysMs: number[] = [];
  asked = 0;
  private skew: ClockSkew = { offsetMs: 0, rate: 1 };
  private sinceMs = Date.now();

  readonly clock = new NodeClock({
    node: 'n1',
    set: (skew) => {
      const rate = this.obeysRate ? skew.rate : 1;
      this.skew = { offsetMs: this.obeysOffset ? skew.offsetMs + this.errorMs : 0, rate };
      this.sinceMs = Date.now();
      return Promise.resolve();
    },
    read: () => {
      this.asked += 1;
      const delayMs = this.delaysMs.shift() ?? 0;
      const aheadMs = this.skew.offsetMs + (Date.now() - this.sinceMs) * (this.skew.rate - 1);
      return Promise.resolve({ leastMs: aheadMs - delayMs, mostMs: aheadMs + delayMs });
    },
  });
}

describe('NodeClock', () => {
  let server: FakeServer;
  let clock: NodeClock;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: EPOCH_MS });
    server = new FakeServer();
    ({ clock } = server);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function pass(milliseconds: number): void {
    vi.setSystemTime(Date.now() + milliseconds);
  }

  it('tells what the server says after a jump', async () => {
    clock.jump(5000);
    expect(await clock.adopt()).toBe(5000);
    clock.jump(-7000);
    expect(await clock.adopt()).toBe(-2000);
  });

  it('finds out a server that does not jump, however small the jump that a scenario may ask for', async () => {
    server.obeysOffset = false;
    clock.jump(visibleMoveMs(1));
    await expect(clock.adopt()).rejects.toThrow(
      new RunLostError('the clock of n1 does not move as it is told: it should be off by 21 ms, and TIME says 0 ms'),
    );
  });

  it.each([
    [9, 9],
    [-9, -9],
    // Out of tolerance: it is put right.
    [11, 0],
    [-300, 0],
  ])('takes an error of %d ms for %d', async (errorMs, leftMs) => {
    server.errorMs = errorMs;
    clock.jump(1000);
    expect(await clock.adopt()).toBe(1000 + leftMs);
  });

  it('asks again where an answer took so long that it says nothing', async () => {
    server.delaysMs = [500, 11, 10];
    clock.jump(1000);
    expect(await clock.adopt()).toBe(1000);
    expect(server.asked).toBe(3);
  });

  it('gives up on a server that never answers in time', async () => {
    server.delaysMs = Array.from({ length: 1000 }, () => 50);
    clock.jump(1000);
    await expect(clock.adopt()).rejects.toThrow('n1 answers too slowly for its clock to be read to 10 ms');
  });

  describe.each([1.01, 0.99, 3, 20, 0.5])('at a rate of %d', (rate) => {
    beforeEach(async () => {
      clock.drift(1, rate);
      await clock.adopt();
    });

    it('is seen once that can be seen', async () => {
      pass(visibleAfterMs(rate) + 1);
      await clock.confirmRate();
      clock.requireSeenRate();
      clock.endDrift(1);
      // Nothing is demanded of the true rate.
      clock.requireSeenRate();
      const ranMs = Date.now() - EPOCH_MS;
      expect(Math.abs((await clock.adopt()) - ranMs * (rate - 1))).toBeLessThan(1);
    });

    it('is not believed before', async () => {
      pass(visibleAfterMs(rate) - 1);
      await clock.confirmRate();
      expect(() => {
        clock.requireSeenRate();
      }).toThrow(`for so short a time that nobody can see whether it did: let it run so for`);
    });

    it('is found out where the server keeps to the true rate', async () => {
      server.obeysRate = false;
      await clock.adopt();
      pass(visibleAfterMs(rate) + 1);
      await expect(clock.confirmRate()).rejects.toThrow(`the clock of n1 does not run at ${rate} times the true rate`);
    });
  });
});
