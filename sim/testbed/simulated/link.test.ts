import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../history/event.ts';
import { ObservedLog } from '../../history/observed-log.ts';
import { Exchange, Link } from './link.ts';
import { RandomStreams } from '../random-streams.ts';
import { closeAfter, drop, dropSome, type Rule, slowDown } from './rules.ts';
import { Simulation } from './simulation.ts';

const FAULT = 9;

/** A link whose server answers each request at once with what it says, and both of whose ends note what they get. */
class Harness {
  readonly simulation = new Simulation();
  readonly log = new ObservedLog();
  readonly random = new RandomStreams(1).stream('link');
  readonly link: Link<string, string>;
  /** Who got what, and when: `@1500 serve a`, `@2000 deliver a: A`. */
  readonly story: string[] = [];
  isUp = true;
  /** Whether requests wait in the buffers of a server that does nothing. */
  isStopped = false;
  readonly waiting: Exchange<string, string>[] = [];
  private count = 0;

  constructor(minMs = 1, maxMs = minMs) {
    this.link = new Link<string, string>(
      this.simulation,
      this.log,
      this.random,
      { minMs, maxMs },
      {
        clientName: 'A',
        serverName: 'n1',
        isUp: () => this.isUp,
        serve: (exchange) => {
          this.tell(`serve ${exchange.request}`);
          if (this.isStopped) this.waiting.push(exchange);
          else this.link.answer(exchange, exchange.request.toUpperCase());
        },
        deliver: (exchange) => {
          this.tell(`deliver ${exchange.request}: ${exchange.reply ?? 'nothing'}`);
          exchange.settle(exchange.reply as string);
        },
        failure: (reason, sent) => `${reason}${sent ? '' : ', not sent'}`,
      },
    );
  }

  send(request: string, settle: (reply: string) => void = () => undefined): Exchange<string, string> {
    this.count += 1;
    const exchange = new Exchange(this.link, this.count, request, 0, request, 100, 0, 0, settle);
    this.link.send(exchange);
    return exchange;
  }

  at(timeMs: number, run: () => void): void {
    this.simulation.scheduleAt(timeMs * 1000, run, undefined);
  }

  async run(untilMs = 60_000): Promise<string[]> {
    await this.simulation.run(
      untilMs * 1000,
      () => false,
      () => undefined,
    );
    return this.story;
  }

  /** The messages that were lost: the number of the exchange, the direction and the fault. */
  lost(): string[] {
    return [...this.log.since(0)]
      .filter((event): event is Extract<HistoryEvent, { type: 'message-lost' }> => event.type === 'message-lost')
      .map(({ command, direction, fault }) => `${direction} ${command} by ${fault ?? 'nobody'}`);
  }

  private tell(what: string): void {
    this.story.push(`@${this.simulation.nowUs} ${what}`);
  }
}

describe('a link without faults', () => {
  it('takes its latency each way', async () => {
    const harness = new Harness(1);
    harness.send('a');
    expect(await harness.run()).toEqual(['@1000 serve a', '@2000 deliver a: A']);
  });

  it('draws each latency within its bounds, both of which occur', async () => {
    const latenciesUs = new Set<number>();
    const harness = new Harness(0.002, 0.005);
    for (let count = 0; count < 200; count += 1) {
      // Far enough apart that none waits for the one before.
      harness.at(count, () => {
        const sentUs = harness.simulation.nowUs;
        harness.send('a', () => latenciesUs.add(harness.simulation.nowUs - sentUs));
      });
    }
    await harness.run();
    expect([...latenciesUs].sort((one, other) => one - other)).toEqual([4, 5, 6, 7, 8, 9, 10]);
  });

  it('never delivers in no time, so that whoever retries at once does not hold time still', async () => {
    const harness = new Harness(0);
    harness.send('a');
    expect(await harness.run()).toEqual(['@1 serve a', '@2 deliver a: A']);
  });

  it('keeps both directions in order, whatever the latencies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 20 }), { minLength: 2, maxLength: 30 }), async (pausesMs) => {
        const harness = new Harness(0, 15);
        let atMs = 0;
        pausesMs.forEach((pauseMs, index) => {
          atMs += pauseMs / 4;
          harness.at(atMs, () => harness.send(`r${index}`));
        });
        const story = await harness.run();
        const order = pausesMs.map((_pause, index) => `r${index}`);
        const heard = (verb: string): string[] =>
          story.flatMap((line) => (line.includes(` ${verb} `) ? [/r\d+/.exec(line)?.[0] ?? ''] : []));
        expect(heard('serve')).toEqual(order);
        expect(heard('deliver')).toEqual(order);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('rules of a link', () => {
  it('delay messages of their direction, and tell by how much', async () => {
    const harness = new Harness(1);
    harness.link.requestRules.push(slowDown(FAULT, { minMs: 5, maxMs: 5 }, harness.random));
    harness.link.replyRules.push(slowDown(FAULT + 1, { minMs: 7, maxMs: 7 }, harness.random));
    harness.send('a');
    expect(await harness.run()).toEqual(['@6000 serve a', '@14000 deliver a: A']);
    expect([...harness.log.since(0)]).toEqual([
      {
        type: 'message-delayed',
        timeUs: 0,
        command: 1,
        client: 'A',
        node: 'n1',
        direction: 'request',
        byUs: 5000,
        fault: 9,
      },
      {
        type: 'message-delayed',
        timeUs: 6000,
        command: 1,
        client: 'A',
        node: 'n1',
        direction: 'reply',
        byUs: 7000,
        fault: 10,
      },
    ]);
  });

  it('add up', async () => {
    const harness = new Harness(1);
    const slow = slowDown(FAULT, { minMs: 5, maxMs: 5 }, harness.random);
    harness.link.requestRules.push(slow, slow);
    harness.send('a');
    expect((await harness.run())[0]).toBe('@11000 serve a');
  });

  it('do not let a message that comes after they are gone overtake one that they delayed', async () => {
    const harness = new Harness(1);
    harness.link.requestRules.push(slowDown(FAULT, { minMs: 50, maxMs: 50 }, harness.random));
    harness.send('slow');
    harness.at(2, () => {
      harness.link.requestRules.length = 0;
      harness.send('fast');
    });
    expect(await harness.run()).toEqual([
      '@51000 serve slow',
      '@51000 serve fast',
      '@52000 deliver slow: SLOW',
      '@52000 deliver fast: FAST',
    ]);
  });

  it('drop a request before it runs, or a reply after', async () => {
    const harness = new Harness(1);
    harness.link.requestRules.push(dropSome(FAULT, 'a', undefined, 1, harness.random));
    harness.link.replyRules.push(dropSome(FAULT, 'b', undefined, 1, harness.random));
    harness.send('a');
    harness.send('b');
    harness.send('c');
    expect(await harness.run()).toEqual(['@1000 serve b', '@1000 serve c', '@2000 deliver c: C']);
    expect(harness.lost()).toEqual(['request 1 by 9', 'reply 2 by 9']);
  });
});

describe('a server that is down', () => {
  it('refuses what arrives, and says that nothing was sent', async () => {
    const harness = new Harness(1);
    harness.isUp = false;
    harness.send('a');
    expect(await harness.run()).toEqual(['@2000 deliver a: the connection was refused, not sent']);
    expect(harness.lost()).toEqual([]);
  });

  it('refuses by no message of a command: the loss of replies passes over it, a partition does not', async () => {
    const harness = new Harness(1);
    harness.isUp = false;
    harness.link.replyRules.push(dropSome(FAULT, undefined, 1, 1, harness.random));
    harness.send('a');
    harness.at(10, () => {
      harness.link.replyRules.push(drop(FAULT + 1));
      harness.send('b');
    });
    expect(await harness.run()).toEqual(['@2000 deliver a: the connection was refused, not sent']);
    expect(harness.lost()).toEqual(['reply 2 by 10']);
  });
});

describe('a connection that is reset', () => {
  it('loses what is on the way in either direction, and tells the client once of all that it waits for', async () => {
    const harness = new Harness(2, 2);
    harness.send('reply under way');
    harness.at(1, () => harness.send('request under way'));
    harness.at(2.5, () => {
      harness.link.reset(FAULT);
    });
    expect(await harness.run()).toEqual([
      '@2000 serve reply under way',
      '@4500 deliver reply under way: the connection was reset',
      '@4500 deliver request under way: the connection was reset',
    ]);
    expect(harness.lost()).toEqual(['reply 1 by 9', 'request 2 by 9']);
  });

  it('runs a request that was in the buffers of a paused server, whose reply then has no way back', async () => {
    const harness = new Harness(1);
    harness.isStopped = true;
    harness.send('a');
    harness.at(5, () => {
      harness.link.reset(FAULT);
    });
    harness.at(9, () => {
      for (const exchange of harness.waiting) harness.link.answer(exchange, 'too late');
    });
    expect(await harness.run()).toEqual(['@1000 serve a', '@6000 deliver a: the connection was reset']);
    expect(harness.lost()).toEqual(['reply 1 by 9']);
  });

  it('loses what the client sends before it knows, and connects again in a round trip afterwards', async () => {
    const harness = new Harness(1);
    harness.link.reset(FAULT);
    harness.at(0.5, () => harness.send('ignorant'));
    harness.at(1.5, () => harness.send('early'));
    harness.at(20, () => harness.send('late'));
    expect(await harness.run()).toEqual([
      '@1000 deliver ignorant: the connection was reset',
      // News at 1 ms, two more for the round trip, one for the message.
      '@4000 serve early',
      '@5000 deliver early: EARLY',
      '@21000 serve late',
      '@22000 deliver late: LATE',
    ]);
    expect(harness.lost()).toEqual(['request 1 by 9']);
  });

  it('does not make the next connection wait for what was slow on the old one', async () => {
    const harness = new Harness(1);
    harness.link.requestRules.push(slowDown(FAULT, { minMs: 5000, maxMs: 5000 }, harness.random));
    harness.link.replyRules.push(slowDown(FAULT, { minMs: 5000, maxMs: 5000 }, harness.random));
    harness.send('a');
    harness.at(10, () => {
      harness.link.requestRules.length = 0;
      harness.link.replyRules.length = 0;
      harness.link.reset(FAULT);
    });
    harness.at(20, () => harness.send('b'));
    expect(await harness.run()).toEqual([
      '@11000 deliver a: the connection was reset',
      '@21000 serve b',
      '@22000 deliver b: B',
    ]);
  });

  it('cannot break a second time before the client knows of the first', async () => {
    const harness = new Harness(2);
    harness.send('a');
    harness.at(1, () => {
      harness.link.reset(FAULT);
    });
    harness.at(2, () => {
      harness.link.reset(FAULT + 1);
    });
    // At the very moment of the news: the order of the two must not matter.
    harness.at(3, () => {
      harness.link.reset(FAULT + 1);
    });
    expect(await harness.run()).toEqual(['@3000 deliver a: the connection was reset']);
    expect(harness.lost()).toEqual(['request 1 by 9']);
  });

  it('stays broken while a partition keeps the news, and is told of when that is healed', async () => {
    const harness = new Harness(1);
    const partition: Rule = drop(FAULT);
    harness.link.replyRules.push(partition);
    harness.isStopped = true;
    harness.send('a');
    harness.at(5, () => {
      harness.link.reset(FAULT + 1);
    });
    // It cannot have connected again: the answer to that would be dropped too.
    harness.at(50, () => harness.send('b'));
    harness.at(100, () => {
      harness.link.replyRules.length = 0;
      harness.link.reset(FAULT);
    });
    harness.at(200, () => harness.send('c'));
    expect(await harness.run()).toEqual([
      '@1000 serve a',
      '@101000 deliver a: the connection was reset',
      '@101000 deliver b: the connection was reset',
      '@201000 serve c',
    ]);
    expect(harness.lost()).toEqual(['request 2 by 10']);
  });

  it('is told of as late as a slow close makes it, and slower over a slow line', async () => {
    const harness = new Harness(1);
    harness.link.closeDelayUs = 30_000;
    harness.link.replyRules.push(slowDown(FAULT, { minMs: 7, maxMs: 7 }, harness.random));
    harness.send('a');
    harness.at(0.5, () => {
      harness.link.reset(FAULT);
    });
    harness.at(25, () => harness.send('b'));
    expect(await harness.run()).toEqual([
      '@38500 deliver a: the connection was reset',
      '@38500 deliver b: the connection was reset',
    ]);
    expect(harness.lost()).toEqual(['request 1 by 9', 'request 2 by 9']);
  });
});

describe('a limit of data', () => {
  it('closes the connection with the message that passes it, again and again', async () => {
    const harness = new Harness(1);
    harness.link.requestRules.push(closeAfter(FAULT, 250));
    for (const name of ['a', 'b', 'c']) harness.send(name);
    harness.at(20, () => harness.send('d'));
    harness.at(21, () => harness.send('e'));
    harness.at(22.5, () => harness.send('f'));
    const story = await harness.run();
    expect(story.filter((line) => line.includes('deliver'))).toEqual([
      '@1000 deliver a: the connection was reset',
      '@1000 deliver b: the connection was reset',
      '@1000 deliver c: the connection was reset',
      '@22000 deliver d: D',
      '@23500 deliver e: the connection was reset',
      '@23500 deliver f: the connection was reset',
    ]);
    // The message that closed it is lost, and so is what was still on the way before it.
    expect(harness.lost()).toEqual([
      'request 3 by 9',
      'request 1 by 9',
      'request 2 by 9',
      'request 6 by 9',
      'reply 5 by 9',
    ]);
  });

  it('closes the next connection, too, with a message that is sent in the very moment of the news', async () => {
    const harness = new Harness(1);
    harness.link.requestRules.push(closeAfter(FAULT, 50));
    harness.send('a', () => harness.send('b'));
    harness.send('c');
    expect(await harness.run()).toEqual([
      '@1000 deliver a: the connection was reset',
      '@1000 deliver c: the connection was reset',
      '@2000 deliver b: the connection was reset',
    ]);
    expect(harness.lost()).toEqual(['request 1 by 9', 'request 2 by 9', 'request 3 by 9']);
  });

  it('counts replies on their own', async () => {
    const harness = new Harness(1);
    harness.link.replyRules.push(closeAfter(FAULT, 8));
    harness.send('a');
    harness.at(10, () => harness.send('b'));
    expect(await harness.run()).toEqual([
      '@1000 serve a',
      '@2000 deliver a: A',
      '@11000 serve b',
      '@12000 deliver b: the connection was reset',
    ]);
    expect(harness.lost()).toEqual(['reply 2 by 9']);
  });
});
