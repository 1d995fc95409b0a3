import { describe, expect, it } from 'vitest';
import { SimulatedClock } from './simulated-clock.ts';
import { Simulation } from './simulation.ts';

function clockAt(initialMs: number, rate: number): { clock: SimulatedClock; at: (timeMs: number) => void } {
  const simulation = new Simulation();
  return {
    clock: new SimulatedClock(simulation, initialMs, rate),
    at: (timeMs) => {
      simulation.nowUs = timeMs * 1000;
    },
  };
}

describe('SimulatedClock', () => {
  it('starts where it is told and runs at its rate', () => {
    const { clock, at } = clockAt(1000, 0.5);
    expect(clock.nowMs()).toBe(1000);
    at(10);
    expect(clock.nowMs()).toBe(1005);
  });

  it('steps by a jump, forth and back, and goes on from there', () => {
    const { clock, at } = clockAt(1000, 1);
    at(10);
    clock.jump(500);
    expect(clock.nowMs()).toBe(1510);
    at(15);
    clock.jump(-2000);
    at(20);
    expect(clock.nowMs()).toBe(1000 + 20 + 500 - 2000);
  });

  it('drifts from the moment it is told, without a step, and runs as before once that is healed', () => {
    const { clock, at } = clockAt(0, 2);
    at(100);
    clock.drift(1, 10);
    expect(clock.rate).toBe(10);
    expect(clock.nowMs()).toBe(200);
    at(110);
    expect(clock.nowMs()).toBe(300);
    clock.endDrift(1);
    expect(clock.rate).toBe(2);
    at(120);
    expect(clock.nowMs()).toBe(320);
  });

  it.each([
    ['the older ends first', [1, 2], [3, 1]],
    ['the newer ends first', [2, 1], [2, 1]],
  ])('obeys the newest of two drifts that overlap, and none when both are healed: %s', (_title, order, rates) => {
    const { clock } = clockAt(0, 1);
    clock.drift(1, 2);
    clock.drift(2, 3);
    expect(clock.rate).toBe(3);
    expect(
      order.map((fault) => {
        clock.endDrift(fault);
        return clock.rate;
      }),
    ).toEqual(rates);
  });
});
