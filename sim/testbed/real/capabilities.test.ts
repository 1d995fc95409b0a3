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
