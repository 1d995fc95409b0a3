/** What a fault does to the bytes of one route in one direction, and when. */
export interface LinkFault {
  readonly fault: number;
  readonly client: string;
  readonly server: string;
  readonly direction: 'request' | 'reply';
  readonly effect: 'cut' | 'slow';
  readonly fromUs: number;
  /** Infinity while it lasts. */
  untilUs: number;
}

/** Remembers which routes had which faults when, for a lost message cannot be seen: only that it never arrived. */
export class LinkFaults {
  private readonly faults: LinkFault[] = [];

  begin(fault: Omit<LinkFault, 'untilUs'>): LinkFault {
    const begun = { ...fault, untilUs: Number.POSITIVE_INFINITY };
    this.faults.push(begun);
    return begun;
  }

  /** The fault that was on the route some time between the two moments; null if there was none. */
  find(
    effect: LinkFault['effect'],
    client: string,
    server: string,
    direction: LinkFault['direction'],
    fromUs: number,
    untilUs: number,
  ): LinkFault | null {
    return (
      this.faults.find(
        (fault) =>
          fault.effect === effect &&
          fault.client === client &&
          fault.server === server &&
          fault.direction === direction &&
          fault.fromUs <= untilUs &&
          fault.untilUs >= fromUs,
      ) ?? null
    );
  }
}
