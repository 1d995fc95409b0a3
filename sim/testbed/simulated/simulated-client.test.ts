import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../history/event.ts';
import { ObservedLog } from '../../history/observed-log.ts';
import { Exchange, Link } from './link.ts';
import { RandomStreams } from '../random-streams.ts';
import { SimulatedClient } from './simulated-client.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { Simulation } from './simulation.ts';

/** A client whose monotonic clock reads 0 when the run begins, and a server that answers it within 2 ms. */
class Harness {
  readonly simulation = new Simulation();
  readonly log = new ObservedLog();
  readonly story: string[] = [];
  readonly client: SimulatedClient;
  private readonly link: Link<string, string>;

  constructor({ rate = 1, readsWallClock = false } = {}) {
    const { simulation, log } = this;
    const streams = new RandomStreams(1);
    const client = new SimulatedClient(
      'A',
      simulation,
      log,
      streams.stream('client A'),
      new SimulatedClock(simulation, 0, rate),
      new SimulatedClock(simulation, 1_000_000, rate),
      readsWallClock,
    );
    this.client = client;
    const link = new Link<string, string>(
      simulation,
      log,
      streams.stream('link'),
      { minMs: 1, maxMs: 1 },
      {
        clientName: 'A',
        serverName: 'n1',
        isUp: () => true,
        serve: (exchange) => link.answer(exchange, 'reply'),
        deliver: (exchange) => {
          if (!client.holdsBack(exchange)) client.settle(exchange);
        },
        failure: (reason) => reason,
      },
    );
    this.link = link;
  }

  tell(what: string): void {
    this.story.push(`@${this.simulation.nowUs / 1000} ${what}`);
  }

  timer(delayMs: number, name: string, run: () => void = () => undefined): () => void {
    return this.client.environment.timers.schedule(delayMs, () => {
      this.tell(name);
      run();
    });
  }

  send(name: string, settle: () => void = () => undefined): void {
    const settled = (): void => {
      this.tell(name);
      settle();
    };
    this.link.send(new Exchange(this.link, 1, name, 0, name, 10, 0, 0, settled));
  }

  at(timeMs: number, run: () => void): this {
    this.simulation.scheduleAt(timeMs * 1000, run, undefined);
    return this;
  }

  async run(): Promise<string[]> {
    await this.simulation.run(
      1_000_000_000,
      () => false,
      () => undefined,
    );
    return this.story;
  }

  events(): HistoryEvent[] {
    return [...this.log.since(0)];
  }
}

describe('the timers of a client', () => {
  it('run when due by its own clock, unless cancelled', async () => {
    const harness = new Harness({ rate: 2 });
    harness.timer(10, 'ten');
    const cancel = harness.timer(20, 'never');
    cancel();
    cancel();
    harness.timer(0, 'at once');
    expect(harness.story).toEqual([]);
    expect(await harness.run()).toEqual(['@0 at once', '@5 ten']);
  });

  it('follow the clock when its rate changes, those that are set already too', async () => {
    const harness = new Harness();
    harness.timer(100, 'a');
    harness.timer(100, 'b');
    harness.timer(10, 'before');
    const cancel = harness.timer(150, 'never');
    harness.at(50, () => harness.client.drift(1, 0.5));
    harness.at(70, () => harness.timer(20, 'set while slow'));
    // 20 true ms at half the rate leave 40 of the 50 ms; they pass twice as fast.
    harness.at(70, () => harness.client.drift(2, 2));
    harness.at(80, cancel);
    expect(await harness.run()).toEqual(['@10 before', '@80 set while slow', '@90 a', '@90 b']);
  });

  it('are never early by the clock, whatever the rate', async () => {
    const harness = new Harness({ rate: 0.9 });
    let readMs = 0;
    harness.client.environment.timers.schedule(7.7, () => (readMs = harness.client.environment.clock.now()));
    harness.at(3, () => harness.client.drift(1, 1.1));
    await harness.run();
    expect(readMs).toBeGreaterThanOrEqual(7.7 - 1e-9);
    expect(readMs).toBeLessThan(7.702);
  });

  it('do not mind steps of the wall clock', async () => {
    const harness = new Harness({ readsWallClock: true });
    harness.timer(100, 'a');
    harness.at(50, () => harness.client.jumpWallClock(-10_000));
    expect(await harness.run()).toEqual(['@100 a']);
  });
});

describe('a client that is paused', () => {
  it('runs nothing; when it goes on it reads its replies first, then runs its timers, then starts new programs', async () => {
    const harness = new Harness();
    harness.timer(10, 'timer 1');
    harness.timer(11, 'timer 2');
    harness.timer(100, 'late timer');
    harness.send('reply 1');
    harness.at(0.5, () => harness.send('reply 2'));
    harness.at(1, () => harness.client.pause(1));
    harness.at(5, () => harness.client.enter(() => harness.tell('program')));
    harness.at(50, () => harness.client.resume(1));
    expect(await harness.run()).toEqual([
      '@50 reply 1',
      '@50 reply 2',
      '@50 timer 1',
      '@50 timer 2',
      '@50 program',
      '@100 late timer',
    ]);
    expect(harness.events()).toEqual([
      { type: 'client-paused', timeUs: 1000, client: 'A' },
      { type: 'client-resumed', timeUs: 50_000, client: 'A' },
    ]);
  });

  it('does not run a timer that was due and that a reply or another timer cancels when it goes on', async () => {
    const harness = new Harness();
    const cancelRound = harness.timer(10, 'round timer');
    harness.send('reply', () => cancelRound());
    const cancelRetry = harness.timer(12, 'retry timer');
    harness.timer(11, 'giving up', () => cancelRetry());
    harness.at(1, () => harness.client.pause(1));
    harness.at(50, () => harness.client.resume(1));
    expect(await harness.run()).toEqual(['@50 reply', '@50 giving up']);
  });

  it('goes on only when the last of the faults that pause it is healed', async () => {
    const harness = new Harness();
    harness.timer(10, 'timer');
    harness.at(1, () => harness.client.pause(1));
    harness.at(2, () => harness.client.pause(2));
    harness.at(20, () => harness.client.resume(1));
    harness.at(25, () => harness.client.resume(1));
    harness.at(30, () => harness.client.resume(2));
    harness.at(40, () => harness.client.resume(2));
    expect(await harness.run()).toEqual(['@30 timer']);
    expect(harness.events().map(({ type, timeUs }) => [type, timeUs])).toEqual([
      ['client-paused', 1000],
      ['client-resumed', 30_000],
    ]);
  });

  it('has clocks that go on, and timers that follow their rate', async () => {
    const harness = new Harness();
    harness.timer(100, 'timer');
    harness.timer(5, 'due');
    harness.at(1, () => harness.client.pause(1));
    harness.at(50, () => harness.client.drift(2, 0.5));
    harness.at(60, () => harness.client.resume(1));
    harness.at(60, () => harness.tell(`clock ${harness.client.environment.clock.now()}`));
    expect(await harness.run()).toEqual(['@60 due', '@60 clock 55', '@150 timer']);
  });

  it('finishes what each reply sets off before it reads the next', async () => {
    const harness = new Harness();
    for (const name of ['first', 'second']) {
      harness.send(name, () => {
        void Promise.resolve().then(() => harness.tell(`${name}, continued`));
      });
    }
    harness.at(1, () => harness.client.pause(1));
    harness.at(50, () => harness.client.resume(1));
    expect(await harness.run()).toEqual(['@50 first', '@50 first, continued', '@50 second', '@50 second, continued']);
  });
});

describe('the clocks of a client', () => {
  it('are monotonic for elapsed time, which steps of the wall clock do not touch', async () => {
    const harness = new Harness();
    const { clock } = harness.client.environment;
    harness.at(10, () => harness.client.jumpWallClock(-500));
    harness.at(20, () => harness.tell(`${clock.now()} ${clock.wall()}`));
    expect(await harness.run()).toEqual(['@20 20 999520']);
    expect(harness.events()).toEqual([
      { type: 'client-clock-changed', timeUs: 10_000, client: 'A', clock: 'wall', byMs: -500, rate: 1 },
    ]);
  });

  it('are the wall clock for both where the client makes that mistake', async () => {
    const harness = new Harness({ readsWallClock: true });
    const { clock } = harness.client.environment;
    harness.at(10, () => harness.client.jumpWallClock(-500));
    harness.at(20, () => harness.tell(`${clock.now()} ${clock.wall()}`));
    expect(await harness.run()).toEqual(['@20 999520 999520']);
  });

  it.each([
    [0.5, false],
    [2, false],
    [0.5, true],
  ])('tell at which true time they will have passed so much, at rate %d', (rate, readsWallClock) => {
    const { client, simulation } = new Harness({ rate, readsWallClock });
    simulation.nowUs = 3000;
    const { clock } = client.environment;
    const fromMs = clock.now();
    simulation.nowUs = client.trueUsAfter(100);
    expect(simulation.nowUs).toBe(3000 + 100_000 / rate);
    expect(clock.now() - fromMs).toBeCloseTo(100, 6);
  });

  it('both drift, and say so', async () => {
    const harness = new Harness();
    const { clock } = harness.client.environment;
    harness.at(10, () => harness.client.drift(1, 3));
    harness.at(20, () => harness.tell(`${clock.now()} ${clock.wall()}`));
    harness.at(20, () => harness.client.endDrift(1));
    expect(await harness.run()).toEqual(['@20 40 1000040']);
    expect(harness.events()).toEqual(
      [3, 1].flatMap((rate, index) =>
        ['monotonic', 'wall'].map((which) => ({
          type: 'client-clock-changed',
          timeUs: 10_000 * (index + 1),
          client: 'A',
          clock: which,
          byMs: 0,
          rate,
        })),
      ),
    );
  });
});

it('the chance of a client is its own stream', () => {
  const { random } = new Harness().client.environment;
  const stream = new RandomStreams(1).stream('client A');
  expect([random.token(), random.fraction()]).toEqual([stream.token(), stream.fraction()]);
});
