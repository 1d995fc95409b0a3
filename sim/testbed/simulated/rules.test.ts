import { describe, expect, it } from 'vitest';
import { type RandomStream, RandomStreams } from '../random-streams.ts';
import { closeAfter, CLOSED, drop, dropSome, limitBandwidth, LOST, type Rule, slice, slowDown } from './rules.ts';
import { Simulation } from './simulation.ts';

function random(): RandomStream {
  return new RandomStreams(1).stream('rules');
}

function answers(rule: Rule, count: number, kind: string | null = 'acquire', bytes = 100): number[] {
  return Array.from({ length: count }, () => rule.delayUs(kind, bytes));
}

it('every rule names the fault that made it', () => {
  const rules = [
    drop(1),
    dropSome(2, undefined, undefined, 1, random()),
    slowDown(3, { minMs: 1, maxMs: 1 }, random()),
    limitBandwidth(4, 1, new Simulation()),
    slice(5, 1, 1),
    closeAfter(6, 1),
  ];
  expect(rules.map(({ fault }) => fault)).toEqual([1, 2, 3, 4, 5, 6]);
});

it('drop loses everything, news of the connection included', () => {
  expect(answers(drop(1), 3)).toEqual([LOST, LOST, LOST]);
  expect(answers(drop(1), 1, null, 0)).toEqual([LOST]);
});

describe('dropSome', () => {
  it('loses so many messages of one kind, and passes the others', () => {
    const rule = dropSome(1, 'release', 2, 1, random());
    expect(answers(rule, 2, 'acquire')).toEqual([0, 0]);
    expect(answers(rule, 4, 'release')).toEqual([LOST, LOST, 0, 0]);
  });

  it('loses messages of any kind without end unless told otherwise', () => {
    const rule = dropSome(1, undefined, undefined, 1, random());
    expect([...answers(rule, 20, 'acquire'), ...answers(rule, 20, 'write')]).toEqual(Array(40).fill(LOST));
  });

  it('loses each message with the probability, and counts only those it lost', () => {
    const rule = dropSome(1, undefined, undefined, 0.25, random());
    const lost = answers(rule, 4000).filter((answer) => answer === LOST).length;
    expect(lost).toBeGreaterThan(900);
    expect(lost).toBeLessThan(1100);
    const counted = dropSome(1, undefined, 3, 0.25, random());
    expect(answers(counted, 4000).filter((answer) => answer === LOST)).toHaveLength(3);
    expect(answers(dropSome(1, undefined, undefined, 0, random()), 100)).toEqual(Array(100).fill(0));
  });

  it('passes the news that a connection broke, without counting it', () => {
    const rule = dropSome(1, undefined, 1, 1, random());
    expect(answers(rule, 2, null, 0)).toEqual([0, 0]);
    expect(answers(rule, 2)).toEqual([LOST, 0]);
  });
});

describe('slowDown', () => {
  it('adds a delay within its bounds, both of which occur', () => {
    const rule = slowDown(1, { minMs: 0.001, maxMs: 0.004 }, random());
    expect([...new Set(answers(rule, 500))].sort()).toEqual([1, 2, 3, 4]);
  });

  it('adds exactly one delay where there is no range', () => {
    expect(answers(slowDown(1, { minMs: 5, maxMs: 5 }, random()), 3)).toEqual([5000, 5000, 5000]);
  });
});

describe('limitBandwidth', () => {
  it('lets messages queue for the line, which is idle again when they have passed', () => {
    const simulation = new Simulation();
    const rule = limitBandwidth(1, 1000, simulation);
    expect(answers(rule, 3)).toEqual([100_000, 200_000, 300_000]);
    simulation.nowUs = 250_000;
    expect(answers(rule, 1)).toEqual([150_000]);
    simulation.nowUs = 1_000_000;
    expect(answers(rule, 1)).toEqual([100_000]);
  });

  it('rounds up, so that not even one byte passes in no time', () => {
    expect(answers(limitBandwidth(1, 3_000_000, new Simulation()), 1, 'acquire', 1)).toEqual([1]);
  });
});

it('slice delays a message once between each two of its slices', () => {
  const rule = slice(1, 10, 2);
  expect([0, 1, 10, 11, 20, 21].map((bytes) => rule.delayUs('acquire', bytes))).toEqual([0, 0, 0, 2000, 2000, 4000]);
});

describe('closeAfter', () => {
  it('closes the connection with the message that would pass the limit', () => {
    expect(answers(closeAfter(1, 250), 3)).toEqual([0, 0, CLOSED]);
    expect(answers(closeAfter(1, 300), 4)).toEqual([0, 0, 0, CLOSED]);
    expect(answers(closeAfter(1, 0), 1)).toEqual([CLOSED]);
  });

  it('counts anew on a new connection, and not the news that the old one broke', () => {
    const rule = closeAfter(1, 250);
    answers(rule, 2);
    expect(answers(rule, 1, null, 0)).toEqual([0]);
    rule.reconnect?.();
    expect(answers(rule, 3)).toEqual([0, 0, CLOSED]);
  });
});
