import { pushTo } from '../merge/multimap.ts';

/** What happens to the bytes of one route in one direction, and when. */
export interface LinkFault {
  /** The number of the fault; null for connections that break without one. */
  readonly fault: number | null;
  readonly client: string;
  readonly server: string;
  readonly direction: 'request' | 'reply';
  readonly effect: 'cut' | 'slow';
  readonly fromUs: number;
  /** Infinity while it lasts. */
  untilUs: number;
}

type Route = Pick<LinkFault, 'client' | 'server' | 'direction'>;

/** Remembers which routes had which faults when, for a lost message cannot be seen: only that it never arrived. */
export class LinkFaults {
  private readonly faults = new Map<string, LinkFault[]>();

  begin(fault: Omit<LinkFault, 'untilUs'>): LinkFault {
    const begun = { ...fault, untilUs: Number.POSITIVE_INFINITY };
    pushTo(this.faults, routeName(fault), begun);
    return begun;
  }

  /** The first fault with this effect that was on the route some time between the two moments; null if there was none. */
  find(effect: LinkFault['effect'], route: Route, fromUs: number, untilUs: number): LinkFault | null {
    return (
      this.faults
        .get(routeName(route))
        ?.find((fault) => fault.effect === effect && fault.fromUs <= untilUs && fault.untilUs >= fromUs) ?? null
    );
  }
}

/** No name of an end has a colon. */
function routeName({ client, server, direction }: Route): string {
  return `${client}:${server}:${direction}`;
}
