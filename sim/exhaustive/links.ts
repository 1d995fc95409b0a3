import { Interner } from './interner.ts';
import type { NodeCommand } from './node-rules.ts';

/** What a client has sent to one node, and how much of it was answered. */
export interface LinkHistory {
  readonly commands: readonly NodeCommand[];
  /** How many of them are answered: the first ones. */
  readonly told: number;
}

/** What a client has sent to one node and was told in answer. */
export interface LinkPart extends LinkHistory {
  /** Whether the client does not care for answers any more: the node still has to run what is left, and answers nobody. */
  readonly isQuiet: boolean;
}

/** What is between a client and a node: commands that the node has yet to run, and replies on their way back, each in order. */
export interface Link {
  readonly part: number;
  /** Numbers of the replies on their way. */
  readonly replies: readonly number[];
  /** The commands that the node has yet to run. */
  readonly requests: readonly NodeCommand[];
}

/** All states of links that were met, each with a number. Number 0 is a link on which nothing was ever sent. */
export class Links {
  private readonly parts = new Interner<LinkPart>('histories of a link');
  private readonly links = new Interner<Link>('states of a link');

  constructor() {
    this.link(this.part('', { commands: [], told: 0, isQuiet: false }), []);
  }

  part(text: string, part: LinkPart): number {
    return this.parts.intern(text, () => part);
  }

  partAt(part: number): LinkPart {
    return this.parts.at(part);
  }

  at(link: number): Link {
    return this.links.at(link);
  }

  link(part: number, replies: readonly number[]): number {
    return this.links.intern(`${part}:${replies.join(',')}`, () => {
      const { commands, told } = this.parts.at(part);
      return { part, replies, requests: commands.slice(told + replies.length) };
    });
  }

  /** A link whose client has no use for replies. */
  quietLink(requests: readonly NodeCommand[]): number {
    if (requests.length === 0) return 0;
    const text = requests.map(({ kind, attempt, argument }) => `${kind}${attempt}:${argument}`).join(' ');
    return this.link(this.part(`quiet ${text}`, { commands: requests, told: 0, isQuiet: true }), []);
  }

  /** The link once the node has run the first request and answered with this reply. */
  afterRun(link: number, reply: number): number {
    const { part, replies, requests } = this.links.at(link);
    return this.parts.at(part).isQuiet ? this.quietLink(requests.slice(1)) : this.link(part, [...replies, reply]);
  }
}
