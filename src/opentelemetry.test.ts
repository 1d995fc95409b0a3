import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failed, type FakeNode, FakeWorld, watch } from '../test/fake-world.ts';
import type { AcquiredLock } from './lock.ts';
import { instrumentRedlock } from './opentelemetry.ts';
import type { Redlock } from './redlock.ts';

const TTL_MS = 1000;

let world: FakeWorld;
let nodes: FakeNode[];
let redlock: Redlock;
let spans: InMemorySpanExporter;
let measured: InMemoryMetricExporter;
let meters: MeterProvider;
let stop: () => void;

beforeEach(() => {
  spans = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: measured })] });
  metrics.setGlobalMeterProvider(meters);
  world = new FakeWorld();
  nodes = world.nodes(3);
  redlock = world.redlock(nodes, { fencing: true });
  stop = instrumentRedlock(redlock);
});
afterEach(async () => {
  await meters.shutdown();
  context.disable();
  trace.disable();
  metrics.disable();
});

async function acquired(): Promise<AcquiredLock> {
  const lock = watch(redlock.acquire('r', TTL_MS));
  await world.advance(1);
  return lock.value as AcquiredLock;
}

function spanOf(name: string): ReadableSpan {
  const [span, ...others] = spans.getFinishedSpans().filter((each) => each.name === name);
  expect(others).toEqual([]);
  if (span === undefined) throw new Error(`no span ${name}`);
  return span;
}

/** The points of a metric: their attributes, and their sum or count. */
async function pointsOf(name: string): Promise<unknown[]> {
  await meters.forceFlush();
  const all = (measured.getMetrics().at(-1)?.scopeMetrics ?? []).flatMap(({ metrics: each }) => each);
  const points = all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  return points.map(({ attributes, value }) => [
    Object.values(attributes).join(' '),
    typeof value === 'number' ? value : { count: value.count, sum: value.sum },
  ]);
}

describe('spans', () => {
  it('are children of what was active when the operation was called', async () => {
    const parent = trace.getTracer('application').startSpan('work');
    const lock = context.with(trace.setSpan(context.active(), parent), () => watch(redlock.acquire('r', TTL_MS)));
    await world.advance(1);
    const span = spanOf('distrilock.acquire');
    expect(span.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(span.attributes).toEqual({
      'distrilock.resource': 'r',
      'distrilock.outcome': 'acquired',
      'distrilock.attempts': 1,
      'distrilock.validity_ms': 987,
      'distrilock.fencing_token': lock.value?.token,
    });
    expect(span.instrumentationScope.name).toBe('distrilock');
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('name all resources of a lock on several', async () => {
    watch(redlock.acquire(['s', 'r'], TTL_MS));
    await world.advance(1);
    const { attributes } = spanOf('distrilock.acquire');
    expect(attributes['distrilock.resource']).toBe('r, s');
    expect(attributes['distrilock.resources']).toEqual(['r', 's']);
  });

  it('tell of each attempt what each node said', async () => {
    nodes[0]?.occupy();
    nodes[1]?.occupy();
    watch(redlock.acquire('r', TTL_MS, { retryCount: 1, retryDelay: 10, retryJitter: 0 }));
    await world.advance(20);
    const span = spanOf('distrilock.acquire');
    expect(span.attributes['distrilock.outcome']).toBe('contended');
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.events.map(({ name, attributes }) => [name, attributes])).toEqual(
      [1, 2].map((attempt) => [
        'distrilock.attempt',
        {
          'distrilock.attempt': attempt,
          'distrilock.outcome': 'contended',
          'distrilock.node.node-1': 'held',
          'distrilock.node.node-2': 'held',
          'distrilock.node.node-3': 'pending',
        },
      ]),
    );
  });

  it('of extensions and releases end with what came of them', async () => {
    const lock = await acquired();
    void lock.extend(TTL_MS);
    await world.advance(1);
    for (const node of nodes) node.fate = () => failed('down');
    const release = watch(lock.release());
    await world.advance(1);
    expect(spanOf('distrilock.extend').attributes['distrilock.outcome']).toBe('extended');
    const span = spanOf('distrilock.release');
    expect(span.attributes).toMatchObject({ 'distrilock.outcome': 'unreachable', 'error.type': 'unreachable' });
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: (release.error as Error).message });
    expect(span.events.map(({ name }) => name)).toEqual(['exception']);
    spans.reset();
    for (const node of nodes) node.fate = () => undefined;
    void lock.release();
    await world.advance(1);
    expect(spanOf('distrilock.release').attributes['distrilock.outcome']).toBe('released');
  });

  it('end when the instrumentation does', async () => {
    stop();
    await acquired();
    expect(spans.getFinishedSpans()).toEqual([]);
    expect(await pointsOf('distrilock.attempts')).toEqual([]);
  });

  it('and metrics go to a tracer and a meter of one’s own', async () => {
    stop();
    const own = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(own)] });
    instrumentRedlock(redlock, { tracer: provider.getTracer('own'), meter: meters.getMeter('own') });
    await acquired();
    expect(own.getFinishedSpans().map(({ name }) => name)).toEqual(['distrilock.acquire']);
    expect(spans.getFinishedSpans()).toEqual([]);
    expect(measured.getMetrics()).toEqual([]);
    await meters.forceFlush();
    expect(
      measured
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.map(({ scope }) => scope.name),
    ).toEqual(['own']);
  });
});

describe('metrics', () => {
  it('count and measure what operations and nodes did', async () => {
    if (nodes[2] !== undefined) nodes[2].fate = () => 'lost';
    const lock = await acquired();
    watch(redlock.acquire('r', TTL_MS));
    await world.advance(1);
    void lock.extend(TTL_MS);
    await world.advance(1);
    void lock.release();
    await world.advance(200);
    expect(await pointsOf('distrilock.operation.duration')).toEqual([
      ['acquire acquired', { count: 1, sum: 0.001 }],
      ['acquire contended', { count: 1, sum: 0.001 }],
      ['extend extended', { count: 1, sum: 0.001 }],
      ['release released', { count: 1, sum: 0.001 }],
    ]);
    expect(await pointsOf('distrilock.attempts')).toEqual([
      ['granted', 1],
      ['contended', 1],
    ]);
    expect(await pointsOf('distrilock.node.errors')).toEqual([
      ['node-3 acquire timeout', 2],
      ['node-3 release timeout', 2],
      ['node-3 extend timeout', 1],
    ]);
    expect(await pointsOf('distrilock.node.duration')).toContainEqual([
      'node-1 acquire granted',
      { count: 1, sum: 0.001 },
    ]);
    expect(await pointsOf('distrilock.losses')).toEqual([]);
  });

  it('count locks that were lost, and what failed', async () => {
    const lock = await acquired();
    await world.advance(2 * TTL_MS);
    watch(lock.extend(TTL_MS));
    await world.advance(1);
    expect(await pointsOf('distrilock.losses')).toEqual([['', 1]]);
    expect(await pointsOf('distrilock.operation.duration')).toContainEqual(['extend expired', { count: 1, sum: 0 }]);
  });
});
