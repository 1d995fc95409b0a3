import type { LinkDisturbance, LinkDisturbances } from './link-disturbances.ts';
import { CUT, type LinkEffect } from './link-toxics.ts';
import type { Proxies, Stream } from './proxies.ts';
import { routeName } from './route-name.ts';

/** Ends what it was returned for. */
type End = () => Promise<void>;

const STREAMS: Readonly<Record<LinkDisturbance['direction'], Stream>> = { request: 'upstream', reply: 'downstream' };
const BOTH = ['request', 'reply'] as const;

export interface ClientRoutesOptions {
  readonly proxies: Proxies;
  readonly disturbances: LinkDisturbances;
  readonly nowUs: () => number;
  /** Resolves after so long. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** Told of a route that could not be closed or opened later on. */
  readonly fail: (error: Error) => void;
}

/** The ways of clients to servers: what is done to them, and what is remembered of it. */
export class ClientRoutes {
  private readonly options: ClientRoutesOptions;
  /** By the route: how long its connections take to close, for each fault that makes them slow. */
  private readonly closeDelays = new Map<string, number[]>();
  /** By the route: connections that are about to close. */
  private readonly closing = new Map<string, Promise<void>>();

  constructor(options: ClientRoutesOptions) {
    this.options = options;
  }

  /** Resolves once the toxic is in force in all its directions; what it resolves to takes it away again. */
  async poison(client: string, server: string, linkEffect: LinkEffect, fault: number): Promise<End> {
    const { proxies, nowUs, disturbances } = this.options;
    const { toxic, directions, effect } = linkEffect;
    const added = await Promise.all(
      directions.map(async (direction) => {
        const fromUs = nowUs();
        const remove = await proxies.addToxic(client, server, STREAMS[direction], toxic);
        const leastDelayUs = linkEffect.leastDelayUs(direction);
        const inForceUs = nowUs();
        const begun = disturbances.begin({ fault, client, server, direction, effect, leastDelayUs, fromUs, inForceUs });
        return { remove, begun };
      }),
    );
    return async () => {
      await Promise.all(
        added.map(async ({ remove, begun }) => {
          await remove();
          begun.untilUs = nowUs();
        }),
      );
    };
  }

  /** From now on connections of this route close only after this delay; what is sent until then is lost. */
  async slowClosing(client: string, server: string, delayMs: number): Promise<End> {
    const remove = await this.options.proxies.addToxic(client, server, 'downstream', {
      type: 'slow_close',
      attributes: { delay: delayMs },
    });
    const name = routeName(client, server);
    this.closeDelays.set(name, [...(this.closeDelays.get(name) ?? []), delayMs]);
    return async () => {
      const delays = this.closeDelays.get(name) ?? [];
      delays.splice(delays.indexOf(delayMs), 1);
      await remove();
    };
  }

  /** Breaks the connections of the route: what is on its way is lost. New ones can be made as soon as they are closed. */
  async reset(client: string, server: string, fault: number | null): Promise<void> {
    await this.close(client, server, fault);
    const opened = this.open(client, server);
    if (this.closing.has(routeName(client, server))) opened.catch(this.options.fail);
    else await opened;
  }

  /** Breaks the connections of the route, and lets no new ones be made until it is opened. Resolves once nothing passes any more. */
  async close(client: string, server: string, fault: number | null): Promise<void> {
    const { proxies, disturbances, nowUs, fail } = this.options;
    const fromUs = nowUs();
    const begun = BOTH.map((direction) =>
      disturbances.begin({ fault, client, server, direction, effect: 'cut', fromUs }),
    );
    const name = routeName(client, server);
    const delayMs = (this.closeDelays.get(name) ?? []).reduce((sum, delay) => sum + delay, 0);
    const disable = async (): Promise<void> => {
      await proxies.setEnabled(client, server, false);
      for (const one of begun) one.untilUs = nowUs();
    };
    if (delayMs === 0) {
      await disable();
      return;
    }
    const removals = await Promise.all(
      BOTH.map((direction) => proxies.addToxic(client, server, STREAMS[direction], CUT)),
    );
    const closing = this.options.pass(delayMs).then(async () => {
      await disable();
      await Promise.all(removals.map((remove) => remove()));
    });
    this.closing.set(name, closing);
    closing.catch(fail).finally(() => this.closing.delete(name));
  }

  /** Lets connections be made again, once those that were about to close are closed. */
  async open(client: string, server: string): Promise<void> {
    await this.closing.get(routeName(client, server));
    await this.options.proxies.setEnabled(client, server, true);
  }
}
