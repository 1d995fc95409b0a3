import type { DiagnosticsChannel, Environment } from './environment.ts';
import { InvalidOptionError } from './errors.ts';
import {
  EVENT_NAMES,
  type LockOperation,
  type LostEvent,
  type RedlockEventName,
  type RedlockEvents,
  type RedlockListener,
} from './events.ts';
import { Observation } from './observation.ts';
import { joinedResources } from './resource-names.ts';

interface Subscription {
  readonly listener: (event: never) => unknown;
  /** A listener that always throws is reported once. */
  reported: boolean;
}

/** The listeners of one event, and the diagnostics channel that it goes to, too. */
interface Topic {
  subscriptions: readonly Subscription[];
  readonly channel: DiagnosticsChannel | null;
}

/**
 * Tells whoever wants to know what a Redlock does. What a listener throws, or an asynchronous one rejects with, reaches nobody but
 * the diagnostics of the Environment. While nobody listens, no event is made.
 */
export class EventHub {
  private readonly environment: Environment;
  private readonly topics: ReadonlyMap<RedlockEventName, Topic>;
  /** The same topics, and two of them: every operation, and every command, asks whether anybody listens. */
  private readonly allTopics: readonly Topic[];
  private readonly nodeReplies: Topic;
  private readonly nodeErrors: Topic;
  private readonly lostLocks = new WeakSet();

  constructor(environment: Environment) {
    this.environment = environment;
    this.topics = new Map(
      EVENT_NAMES.map((name): [RedlockEventName, Topic] => [
        name,
        { subscriptions: [], channel: environment.diagnostics?.channel(`distrilock:${name}`) ?? null },
      ]),
    );
    this.allTopics = [...this.topics.values()];
    this.nodeReplies = this.topicOf('node-reply');
    this.nodeErrors = this.topicOf('node-error');
  }

  /**
   * @returns what ends the subscription
   * @throws InvalidOptionError for a name that is no event's, and for a listener that is no function
   */
  on<Name extends RedlockEventName>(name: Name, listener: RedlockListener<Name>): () => void {
    const topic = this.topics.get(name);
    if (topic === undefined) {
      throw new InvalidOptionError('event', `must be one of ${EVENT_NAMES.join(', ')}, not ${name}`);
    }
    if (typeof (listener as unknown) !== 'function') throw new InvalidOptionError('listener', 'must be a function');
    const subscription: Subscription = { listener, reported: false };
    topic.subscriptions = [...topic.subscriptions, subscription];
    return () => {
      topic.subscriptions = topic.subscriptions.filter((each) => each !== subscription);
    };
  }

  /** Whether anybody listens to what nodes do. */
  observesNodes(): boolean {
    return isObserved(this.nodeReplies) || isObserved(this.nodeErrors);
  }

  /** The observation of an operation that begins, unless nobody listens to anything. */
  observe(kind: LockOperation['kind'], resources: readonly string[]): Observation | null {
    for (const topic of this.allTopics) {
      if (!isObserved(topic)) continue;
      return new Observation(this, this.environment, { kind, resource: joinedResources(resources), resources });
    }
    return null;
  }

  /** Tells of the loss of a lock, once. */
  lose(lock: Pick<LostEvent, 'resource' | 'resources'>, error: Error): void {
    if (!isObserved(this.topicOf('lost')) || this.lostLocks.has(lock)) return;
    this.lostLocks.add(lock);
    this.emit('lost', { resource: lock.resource, resources: lock.resources, error });
  }

  emit<Name extends RedlockEventName>(name: Name, event: RedlockEvents[Name]): void {
    const { subscriptions, channel } = this.topicOf(name);
    for (const subscription of subscriptions) this.tell(name, subscription, event);
    if (channel?.hasSubscribers === true) channel.publish(event);
  }

  private topicOf(name: RedlockEventName): Topic {
    return this.topics.get(name) as Topic;
  }

  private tell(name: RedlockEventName, subscription: Subscription, event: unknown): void {
    try {
      const result = subscription.listener(event as never) as PromiseLike<unknown> | undefined | null;
      if (typeof result?.then !== 'function') return;
      result.then(undefined, (error: unknown) => {
        this.report(name, subscription, error);
      });
    } catch (error) {
      this.report(name, subscription, error);
    }
  }

  private report(name: RedlockEventName, subscription: Subscription, cause: unknown): void {
    if (subscription.reported) return;
    subscription.reported = true;
    const words = cause instanceof Error ? cause.message : String(cause);
    const warning = new Error(`A listener of the event '${name}' of a Redlock threw, which changed nothing: ${words}`, {
      cause,
    });
    warning.name = 'DistrilockWarning';
    this.environment.diagnostics?.warn(warning);
  }
}

function isObserved({ subscriptions, channel }: Topic): boolean {
  return subscriptions.length > 0 || channel?.hasSubscribers === true;
}
