import { describe, expect, it } from 'vitest';
import { Simulation } from './simulation.ts';

function never(): boolean {
  return false;
}

function ignore(): void {
  // Nobody needs to breathe.
}

describe('Simulation', () => {
  it('jumps from event to event, each at its time, and stands at the end of the stretch', async () => {
    const simulation = new Simulation();
    const story: unknown[] = [];
    const tell = (what: string): void => {
      story.push([simulation.nowUs, what]);
    };
    simulation.schedule(30, tell, 'later');
    simulation.schedule(10, tell, 'soon');
    simulation.scheduleAt(51, tell, 'too late');
    expect(await simulation.run(50, never, ignore)).toBe(false);
    expect(story).toEqual([
      [10, 'soon'],
      [30, 'later'],
    ]);
    expect(simulation.nowUs).toBe(50);
    expect(simulation.eventCount).toBe(2);
  });

  it('rounds delays up, takes negative ones for none, and never runs an event within the call that schedules it', async () => {
    const simulation = new Simulation();
    const timesUs: number[] = [];
    simulation.schedule(0.1, () => timesUs.push(simulation.nowUs), null);
    simulation.schedule(-5, () => timesUs.push(simulation.nowUs), null);
    expect(timesUs).toEqual([]);
    await simulation.run(10, never, ignore);
    expect(timesUs).toEqual([0, 1]);
  });

  it('ends after the very event that is waited for, at its time', async () => {
    const simulation = new Simulation();
    let count = 0;
    for (const timeUs of [5, 5, 5]) simulation.schedule(timeUs, () => (count += 1), null);
    expect(await simulation.run(100, () => count === 2, ignore)).toBe(true);
    expect([count, simulation.nowUs]).toEqual([2, 5]);
  });

  it('ends when nothing is left to happen, without an end of time', async () => {
    const simulation = new Simulation();
    simulation.schedule(7, ignore, null);
    expect(await simulation.run(Number.POSITIVE_INFINITY, never, ignore)).toBe(false);
    expect(simulation.nowUs).toBe(7);
  });

  it('skips what was cancelled', async () => {
    const simulation = new Simulation();
    const event = simulation.schedule(
      7,
      () => {
        throw new Error('cancelled');
      },
      null,
    );
    simulation.cancel(event);
    await simulation.run(10, never, ignore);
    expect(simulation.eventCount).toBe(0);
  });

  it('rejects with what an event throws, and with what breathing throws', async () => {
    const simulation = new Simulation();
    simulation.schedule(
      1,
      () => {
        throw new Error('an event');
      },
      null,
    );
    await expect(simulation.run(10, never, ignore)).rejects.toThrow('an event');
    const breathe = (): void => {
      throw new Error('breathless');
    };
    await expect(simulation.run(10, never, breathe)).rejects.toThrow('breathless');
  });

  it('breathes now and then in a long run, and lets the process do other things meanwhile', async () => {
    const simulation = new Simulation();
    let left = 200_000;
    const again = (): void => {
      left -= 1;
      if (left > 0) simulation.schedule(1, again, undefined);
    };
    again();
    let breaths = 0;
    let turns = 0;
    const turn = setInterval(() => (turns += 1), 0);
    await simulation.run(Number.POSITIVE_INFINITY, never, () => (breaths += 1));
    clearInterval(turn);
    expect(left).toBe(0);
    expect(breaths).toBeGreaterThan(2);
    expect(turns).toBeGreaterThan(0);
  });
});
