import { expect, it } from 'vitest';
import { type LinkFaultKind, linkEffect } from './link-toxics.ts';
import { type Fault, fault as faultSchema } from '../../../scenario/fault-schema.ts';

function effectOf(fault: object): ReturnType<typeof linkEffect> {
  return linkEffect(faultSchema.parse(fault) as Extract<Fault, { fault: LinkFaultKind }>);
}

const CUT = { toxic: { type: 'timeout', attributes: { timeout: 0 } }, effect: 'cut' };

it.each([
  [{ fault: 'partition' }, { ...CUT, directions: ['request', 'reply'] }],
  [
    { fault: 'partition', direction: 'reply' },
    { ...CUT, directions: ['reply'] },
  ],
  [
    { fault: 'partition-shape', shape: 'ring' },
    { ...CUT, directions: ['request', 'reply'] },
  ],
  [
    { fault: 'loss', direction: 'request' },
    { ...CUT, directions: ['request'] },
  ],
  [
    { fault: 'latency', delay: '30ms', direction: 'request' },
    { toxic: { type: 'latency', attributes: { latency: 30, jitter: 0 } }, directions: ['request'], effect: 'slow' },
  ],
  // Toxiproxy draws from latency - jitter to latency + jitter.
  [
    { fault: 'latency', delay: '10ms..50ms' },
    {
      toxic: { type: 'latency', attributes: { latency: 30, jitter: 20 } },
      directions: ['request', 'reply'],
      effect: 'slow',
    },
  ],
  [
    { fault: 'bandwidth', bytesPerSecond: 8000, direction: 'reply' },
    { toxic: { type: 'bandwidth', attributes: { rate: 8 } }, directions: ['reply'], effect: 'slow' },
  ],
  [
    { fault: 'limit-data', bytes: 500, direction: 'request' },
    { toxic: { type: 'limit_data', attributes: { bytes: 500 } }, directions: ['request'], effect: 'cut' },
  ],
  // Toxiproxy counts this one delay in microseconds.
  [
    { fault: 'slicer', bytes: 20, delay: '1500us', direction: 'request' },
    {
      toxic: { type: 'slicer', attributes: { average_size: 20, size_variation: 0, delay: 1500 } },
      directions: ['request'],
      effect: 'slow',
    },
  ],
])('%j', (fault, effect) => {
  expect(effectOf(fault)).toMatchObject(effect);
});

it.each([
  [{ fault: 'partition' }, 0, 0],
  [{ fault: 'latency', delay: '300ms' }, 300_000, 300_000],
  // The least that Toxiproxy draws.
  [{ fault: 'latency', delay: '10ms..50ms' }, 10_000, 10_000],
  [{ fault: 'latency', delay: '0ms..50ms' }, 0, 0],
  [{ fault: 'bandwidth', bytesPerSecond: 1000 }, 60_000, 4000],
  // Three slices of a request have two delays between them; a short reply is one slice.
  [{ fault: 'slicer', bytes: 20, delay: '1500us' }, 3000, 0],
])('%j delays a request by %i us at the least, a reply by %i', (fault, requestUs, replyUs) => {
  const effect = effectOf(fault);
  expect([effect.leastDelayUs('request'), effect.leastDelayUs('reply')]).toEqual([requestUs, replyUs]);
});
