import {
  type Attributes,
  type Meter,
  metrics,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { LockOperation, RedlockEventName, RedlockListener } from './events.ts';

/** What is instrumented: a Redlock, or anything that tells of the same events. */
export interface EventSource {
  /** Calls the listener for every event of this name, until what it returns is called. */
  on<Name extends RedlockEventName>(name: Name, listener: RedlockListener<Name>): () => void;
}

/** Where spans and metrics go. */
export interface InstrumentationOptions {
  /** Default: the tracer `distrilock` of the global provider. */
  readonly tracer?: Tracer | undefined;
  /** Default: the meter `distrilock` of the global provider. */
  readonly meter?: Meter | undefined;
}

const NAME = 'distrilock';
/** In seconds. A lock takes from less than a millisecond to some seconds of retries. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Makes spans and metrics of what a Redlock does. A span for each acquire, extend and release is a child of the span that was active when it was
 * called. Resources are named by spans, and by no metric, for there may be very many.
 *
 * @returns a function that ends this
 */
export function instrumentRedlock(redlock: EventSource, options: InstrumentationOptions = {}): () => void {
  const unsubscribes = [
    ...makeSpans(redlock, options.tracer ?? trace.getTracer(NAME)),
    ...recordMetrics(redlock, options.meter ?? metrics.getMeter(NAME)),
  ];
  return () => {
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}

function makeSpans(redlock: EventSource, tracer: Tracer): (() => void)[] {
  const spans = new WeakMap<LockOperation, Span>();
  const end = (operation: LockOperation, attributes: Attributes, error: unknown = null): void => {
    const span = spans.get(operation);
    if (span === undefined) return;
    span.setAttributes(attributes);
    if (error !== null) {
      const exception = error instanceof Error ? error : new Error('The environment threw', { cause: error });
      span.recordException(exception);
      span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
    }
    span.end();
  };
  return [
    redlock.on('started', ({ operation }) => {
      const { resource, resources } = operation;
      const several = resources.length === 1 ? {} : { 'distrilock.resources': [...resources] };
      const attributes = { 'distrilock.resource': resource, ...several };
      spans.set(operation, tracer.startSpan(`distrilock.${operation.kind}`, { attributes }));
    }),
    redlock.on('attempt', ({ operation, attempt, outcome, nodes }) => {
      const attributes: Attributes = { 'distrilock.attempt': attempt, 'distrilock.outcome': outcome };
      for (const { node, outcome: said } of nodes) attributes[`distrilock.node.${node}`] = said;
      spans.get(operation)?.addEvent('distrilock.attempt', attributes);
    }),
    redlock.on('acquired', ({ operation, attempts, validityMs, token }) => {
      end(operation, {
        'distrilock.outcome': 'acquired',
        'distrilock.attempts': attempts,
        'distrilock.validity_ms': validityMs,
        ...(token === null ? {} : { 'distrilock.fencing_token': token }),
      });
    }),
    // That others hold the lock is an answer, not an error.
    redlock.on('contended', ({ operation }) => end(operation, { 'distrilock.outcome': 'contended' })),
    redlock.on('extended', ({ operation, validityMs }) => {
      end(operation, { 'distrilock.outcome': 'extended', 'distrilock.validity_ms': validityMs });
    }),
    redlock.on('released', ({ operation }) => end(operation, { 'distrilock.outcome': 'released' })),
    redlock.on('failed', ({ operation, code, error }) => {
      const type = code ?? 'unknown';
      end(operation, { 'distrilock.outcome': type, 'error.type': type }, error);
    }),
  ];
}

function recordMetrics(redlock: EventSource, meter: Meter): (() => void)[] {
  const advice = { explicitBucketBoundaries: DURATION_BUCKETS };
  const durations = meter.createHistogram('distrilock.operation.duration', {
    description: 'How long acquires (retries included), extensions and releases took',
    unit: 's',
    advice,
  });
  const attempts = meter.createCounter('distrilock.attempts', {
    description: 'Attempts of acquires, by their outcome',
    unit: '{attempt}',
  });
  const losses = meter.createCounter('distrilock.losses', {
    description: 'Locks that were lost before their holders gave them back',
    unit: '{lock}',
  });
  const nodeDurations = meter.createHistogram('distrilock.node.duration', {
    description: 'How long nodes took to answer',
    unit: 's',
    advice,
  });
  const nodeErrors = meter.createCounter('distrilock.node.errors', {
    description: 'Commands that a node failed, or did not answer in time',
    unit: '{error}',
  });
  const record = ({ kind }: LockOperation, durationMs: number, outcome: string): void => {
    durations.record(durationMs / 1000, { 'distrilock.operation': kind, 'distrilock.outcome': outcome });
  };
  return [
    redlock.on('attempt', ({ outcome }) => attempts.add(1, { 'distrilock.outcome': outcome })),
    redlock.on('acquired', ({ operation, durationMs }) => record(operation, durationMs, 'acquired')),
    redlock.on('contended', ({ operation, durationMs }) => record(operation, durationMs, 'contended')),
    redlock.on('extended', ({ operation, durationMs }) => record(operation, durationMs, 'extended')),
    redlock.on('released', ({ operation, durationMs }) => record(operation, durationMs, 'released')),
    redlock.on('failed', ({ operation, durationMs, code }) => record(operation, durationMs, code ?? 'unknown')),
    redlock.on('lost', () => losses.add(1)),
    redlock.on('node-reply', ({ node, command, outcome, latencyMs }) => {
      const attributes = { 'distrilock.node': node, 'distrilock.command': command, 'distrilock.outcome': outcome };
      nodeDurations.record(latencyMs / 1000, attributes);
    }),
    redlock.on('node-error', ({ node, command, outcome }) => {
      nodeErrors.add(1, { 'distrilock.node': node, 'distrilock.command': command, 'distrilock.outcome': outcome });
    }),
  ];
}
