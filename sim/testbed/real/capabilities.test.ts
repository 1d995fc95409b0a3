import { describe, expect, it } from 'vitest';
import { galleryNames, loadScenario } from '../../scenario/load.ts';
import { parseScenario } from '../../scenario/load-text.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { movesNodeClocks, realLack, silentNodes } from './capabilities.ts';

/** A scenario with these lines more. */
function scenarioWith(...lines: readonly string[]): Scenario {
  const text = [
    'title: A scenario',
    'settings: { ttl: 1s }',
    'clients: { A: , B: }',
    'workload: [{ clients: A, steps: [{ acquire: { resource: r } }, release] }]',
    'expect: { mutual-exclusion: ok }',
    'lesson: None.',
    ...lines,
  ];
  return parseScenario(`${text.join('\n')}\n`, 'here.yaml', 'here');
}

describe('realLack', () => {
  it.each(galleryNames())('finds nothing that %s lacks: the whole gallery runs on real servers', (name) => {
    expect(realLack(loadScenario(name))).toBeNull();
  });

  it.each([
    ['faults: [{ fault: loss, direction: request, count: 2 }]', 'never by count, command or probability'],
    ['faults: [{ fault: loss, direction: reply, command: acquire }]', 'never by count, command or probability'],
    ['faults: [{ fault: loss, direction: reply, probability: 0.5 }]', 'never by count, command or probability'],
    ['faults: [{ fault: latency, delay: 200us..900us }]', 'a latency below 1 ms cannot be made'],
    ['faults: [{ fault: bandwidth, bytesPerSecond: 100 }]', '100 bytes a second is not a multiple of 1000'],
    ['faults: [{ fault: bandwidth, bytesPerSecond: 1500 }]', '1500 bytes a second is not a multiple of 1000'],
    ['faults: [{ fault: slow-close, delay: 1.5ms }]', 'a slow-close with a fraction of one cannot be made'],
    ['network: { latency: 5ms }', 'add a latency fault instead'],
    ['faults: [{ fault: flush, nodes: n1, after: { event: message-lost } }]', 'nothing can begin after message-lost'],
  ])('%s', (line, reason) => {
    expect(realLack(scenarioWith(line))).toContain(reason);
  });

  it.each([
    ['faults: [{ fault: loss, direction: request }]'],
    ['faults: [{ fault: latency, delay: 0ms }]'],
    ['faults: [{ fault: latency, delay: 500us..2ms }]'],
    ['faults: [{ fault: bandwidth, bytesPerSecond: 2000 }]'],
    ['faults: [{ fault: slow-close, delay: 2ms }]'],
    ['faults: [{ fault: eviction, nodes: n1 }]'],
    ['network: { latency: 200us..1ms }'],
    ['faults: [{ fault: flush, nodes: n1, after: { event: acquire-granted } }]'],
    ['happened: [{ event: message-lost }]'],
  ])('nothing for %s', (line) => {
    expect(realLack(scenarioWith(line))).toBeNull();
  });

  it('of a number of evicted keys', () => {
    const nodes = 'nodes: { maxmemoryPolicy: allkeys-lru }';
    expect(realLack(scenarioWith(nodes, 'faults: [{ fault: eviction, nodes: n1, keys: 1 }]'))).toContain(
      'the number of keys that are evicted cannot be set',
    );
    expect(realLack(scenarioWith(nodes, 'faults: [{ fault: eviction, nodes: n1 }]'))).toBeNull();
  });

  it('of promotions that differ in their lag, or come with clocks that move', () => {
    const nodes = 'nodes: { replica: true }';
    const first = '{ fault: promotion, nodes: n1, lag: 10ms }';
    const lacks = (second: string): string | null => realLack(scenarioWith(nodes, `faults: [${first}, ${second}]`));
    expect(lacks('{ fault: promotion, nodes: n2, lag: 20ms }')).toContain('different lags');
    expect(lacks('{ fault: promotion, nodes: n2, lag: 10ms }')).toBeNull();
    expect(lacks('{ fault: clock-jump, nodes: n2, by: 1s }')).toContain('the clock of a replica cannot be moved');
  });
});

describe('what a clock does that nobody can read back is refused', () => {
  it.each([
    ['{ fault: clock-jump, nodes: n1, by: 21ms }', null],
    ['{ fault: clock-jump, nodes: n1, by: -21ms }', null],
    ['{ fault: clock-jump, nodes: n1, by: 20ms }', 'a jump of less than 21 ms'],
    ['{ fault: clock-jump, nodes: n1, by: -20ms }', 'a jump of less than 21 ms'],
    ['{ fault: clock-strobe, nodes: n1, by: 5ms, every: 1s }', 'a jump of less than 21 ms'],
    // The faster a clock runs, the less exactly it can be read.
    [
      '{ fault: clock-jump, nodes: n1, by: 40ms }, { fault: clock-drift, nodes: n1, rate: 3 }',
      'a jump of less than 61 ms',
    ],
    ['{ fault: clock-drift, nodes: n1, rate: 1.01, for: 3s }', null],
    ['{ fault: clock-drift, nodes: n1, rate: 0.99, for: 3s }', null],
    ['{ fault: clock-drift, nodes: n1, rate: 1.01, for: 2s }', '1.01 times the true rate for less than 2120 ms'],
    // Until the limit of the workload, a minute.
    ['{ fault: clock-drift, nodes: n1, rate: 1.001 }', null],
    ['{ fault: clock-drift, nodes: n1, rate: 1.0001 }', '1.0001 times the true rate for less than 21002'],
    ['{ fault: clock-drift, nodes: n1, rate: 1 }', 'that it runs at 1 times the true rate'],
  ])('%s', (faults, lack) => {
    const found = realLack(scenarioWith(`faults: [${faults}]`));
    if (lack === null) expect(found).toBeNull();
    else expect(found).toContain(lack);
  });
});

describe('movesNodeClocks', () => {
  it.each([
    ['clock-jump, nodes: n1, by: 1s', true],
    ['clock-drift, nodes: n1, rate: 1.1', true],
    ['client-clock-jump, clients: A, by: 1s', false],
  ])('%s: %s', (fault, moves) => {
    expect(movesNodeClocks(scenarioWith(`faults: [{ fault: ${fault} }]`))).toBe(moves);
  });
});

describe('silentNodes', () => {
  const NODES = ['n1', 'n2', 'n3'];

  it.each([
    ['{ fault: partition, nodes: n1 }', ['n1']],
    ['{ fault: partition, clients: [B, A], nodes: [n3, resource] }', ['n3']],
    ['{ fault: partition, nodes: minority }', ['n3']],
    ['{ fault: partition }', NODES],
    // Who has the lease is not known before.
    ['{ fault: partition, nodes: held }', NODES],
    ['{ fault: partition, nodes: resource }', []],
    ['{ fault: partition, clients: A, nodes: n1 }', []],
    ['{ fault: partition, clients: holder, nodes: n1 }', []],
    ['{ fault: partition, nodes: n1, direction: request }', []],
    ['{ fault: loss, nodes: n1, direction: request }', []],
  ])('%s', (fault, nodes) => {
    expect(silentNodes(scenarioWith(`faults: [${fault}]`), NODES)).toEqual(nodes);
  });
});
