import { expect, it } from 'vitest';
import type { Fault } from '../scenario/fault-schema.ts';
import { describeFault } from './description.ts';

const LINK = { clients: 'all', nodes: 'all' } as const;

const DESCRIPTIONS: { readonly [Kind in Fault['fault']]: readonly [Extract<Fault, { fault: Kind }>, string][] } = {
  partition: [
    [{ fault: 'partition', ...LINK, direction: 'both' }, 'messages between A, B and n1 are lost'],
    [{ fault: 'partition', ...LINK, direction: 'request' }, 'requests between A, B and n1 are lost'],
    [{ fault: 'partition', ...LINK, direction: 'reply' }, 'replies between A, B and n1 are lost'],
  ],
  'partition-shape': [[{ fault: 'partition-shape', shape: 'ring' }, 'partition: ring']],
  loss: [
    [{ fault: 'loss', ...LINK, direction: 'reply', probability: 1 }, 'replies between A, B and n1 are lost'],
    [
      { fault: 'loss', ...LINK, direction: 'request', command: 'release', count: 3, probability: 0.5 },
      '3 release requests between A, B and n1 are lost with probability 0.5',
    ],
  ],
  latency: [
    [
      { fault: 'latency', ...LINK, direction: 'both', delay: { minMs: 5, maxMs: 20 } },
      'messages between A, B and n1 take 5 ms to 20 ms longer',
    ],
  ],
  bandwidth: [
    [
      { fault: 'bandwidth', ...LINK, direction: 'both', bytesPerSecond: 500 },
      'messages between A, B and n1 pass at 500 bytes/s',
    ],
  ],
  reset: [[{ fault: 'reset', ...LINK }, 'connections between A, B and n1 are reset']],
  'slow-close': [[{ fault: 'slow-close', ...LINK, delay: 50 }, 'connections between A, B and n1 close 50 ms late']],
  'limit-data': [
    [
      { fault: 'limit-data', ...LINK, direction: 'both', bytes: 900 },
      'connections between A, B and n1 close after 900 bytes',
    ],
  ],
  slicer: [
    [
      { fault: 'slicer', ...LINK, direction: 'reply', bytes: 9, delay: 1 },
      'replies between A, B and n1 travel in slices of 9 bytes',
    ],
  ],
  'clock-jump': [[{ fault: 'clock-jump', nodes: 'all', by: -5000 }, 'the clock of n1 jumps by -5 s']],
  'clock-drift': [
    [{ fault: 'clock-drift', nodes: 'all', rate: 1.5 }, 'the clock of n1 runs at 1.5 times the true rate'],
  ],
  'clock-strobe': [
    [
      { fault: 'clock-strobe', nodes: 'all', by: 5000, every: 10 },
      'the clock of n1 jumps by 5 s and back, every 10 ms',
    ],
  ],
  'client-clock-jump': [
    [{ fault: 'client-clock-jump', clients: 'all', by: 5000 }, 'the wall clock of A, B jumps by 5 s'],
  ],
  'client-clock-drift': [
    [{ fault: 'client-clock-drift', clients: 'all', rate: 2 }, 'the clocks of A, B run at 2 times the true rate'],
  ],
  'client-pause': [[{ fault: 'client-pause', clients: 'all' }, 'A, B is paused']],
  'server-pause': [[{ fault: 'server-pause', nodes: 'all' }, 'n1 is paused']],
  crash: [[{ fault: 'crash', nodes: 'all', how: 'power-loss' }, 'n1 crashes (power-loss)']],
  eviction: [[{ fault: 'eviction', nodes: 'all' }, 'memory pressure on n1']],
  flush: [[{ fault: 'flush', nodes: 'all' }, 'n1 is flushed']],
  promotion: [[{ fault: 'promotion', nodes: 'all', lag: 5 }, 'the primary of n1 dies and its replica is promoted']],
};

it.each(Object.values(DESCRIPTIONS).flat() as [Fault, string][])('%j', (fault, description) => {
  expect(describeFault(fault, ['A', 'B'], ['n1'])).toBe(description);
});

it('says so where a fault finds nobody', () => {
  expect(describeFault({ fault: 'reset', ...LINK }, [], [])).toBe('connections between nobody and no node are reset');
});
