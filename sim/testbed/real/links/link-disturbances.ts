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
  /** Since when it may have been in force: it was asked for then. */
  readonly fromUs: number;
  /** Since when it was known to be. */
  readonly inForceUs: number;
  /** Infinity while it lasts. */
  untilUs: number;
}

type Route = Pick<LinkDisturbance, 'client' | 'server' | 'direction'>;

/** Remembers which routes had which disturbances when, for a lost message cannot be seen: only that it never arrived. */
export class LinkDisturbances {
  private readonly disturbances = new Map<string, LinkDisturbance[]>();

  begin(
    disturbance: Omit<LinkDisturbance, 'untilUs' | 'leastDelayUs' | 'inForceUs'> &
      Partial<Pick<LinkDisturbance, 'leastDelayUs' | 'inForceUs'>>,
  ): LinkDisturbance {
    const begun = { leastDelayUs: 0, inForceUs: disturbance.fromUs, ...disturbance, untilUs: Number.POSITIVE_INFINITY };
    pushTo(this.disturbances, streamName(disturbance), begun);
    return begun;
  }

  /** The first with this effect that was on the route some time between the two moments, and known to be in force by `knownUs`; null if there was none. */
  find(
    effect: LinkDisturbance['effect'],
    route: Route,
    fromUs: number,
    untilUs: number,
    knownUs: number = Number.POSITIVE_INFINITY,
  ): LinkDisturbance | null {
    const disturbances = this.disturbances.get(streamName(route)) ?? [];
    return (
      disturbances.find(
        (one) => one.effect === effect && one.fromUs <= untilUs && one.untilUs >= fromUs && one.inForceUs <= knownUs,
      ) ?? null
    );
  }
}

function streamName({ client, server, direction }: Route): string {
  return `${routeName(client, server)}:${direction}`;
}
