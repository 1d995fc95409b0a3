import { pushTo } from '../multimap.ts';
import { routeName } from './route-name.ts';

/** What happens to the bytes of one route in one direction, and when. */
export interface LinkDisturbance {
  /** The number of the fault; null for connections that break without one. */
  readonly fault: number | null;
  readonly client: string;
  readonly server: string;
  readonly direction: 'request' | 'reply';
  readonly effect: 'cut' | 'slow';
  /** Of what is slow: by how much every message is at the least; 0 if it may be by nothing. */
  readonly leastDelayUs: number;
  readonly fromUs: number;
  /** Infinity while it lasts. */
  untilUs: number;
}

type Route = Pick<LinkDisturbance, 'client' | 'server' | 'direction'>;

/** Remembers which routes had which disturbances when, for a lost message cannot be seen: only that it never arrived. */
export class LinkDisturbances {
  private readonly disturbances = new Map<string, LinkDisturbance[]>();

  begin(
    disturbance: Omit<LinkDisturbance, 'untilUs' | 'leastDelayUs'> & { readonly leastDelayUs?: number },
  ): LinkDisturbance {
    const begun = { leastDelayUs: 0, ...disturbance, untilUs: Number.POSITIVE_INFINITY };
    pushTo(this.disturbances, streamName(disturbance), begun);
    return begun;
  }

  /** The first with this effect that was on the route some time between the two moments; null if there was none. */
  find(effect: LinkDisturbance['effect'], route: Route, fromUs: number, untilUs: number): LinkDisturbance | null {
    return (
      this.disturbances
        .get(streamName(route))
        ?.find((one) => one.effect === effect && one.fromUs <= untilUs && one.untilUs >= fromUs) ?? null
    );
  }
}

function streamName({ client, server, direction }: Route): string {
  return `${routeName(client, server)}:${direction}`;
}
