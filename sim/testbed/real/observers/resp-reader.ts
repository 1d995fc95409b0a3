/** What a Redis server says, as RESP3 has it: one line, a text, or a list of further replies. */
export type Resp =
  | { readonly kind: 'line' | 'error' | 'text'; readonly text: string }
  | { readonly kind: 'list' | 'push'; readonly items: readonly Resp[] };

const LINE_END = Buffer.from('\r\n');
/** The kinds of list, and how many replies each of its elements is. */
const LISTS: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2 };

/** Takes the bytes that a Redis server sends, in whatever pieces they come, and gives the replies that are whole. */
export class RespReader {
  private bytes: Buffer = Buffer.alloc(0);
  private place = 0;

  /** Throws an Error if the bytes are no RESP. */
  *read(piece: Buffer): Generator<Resp> {
    this.bytes = Buffer.concat([this.bytes.subarray(this.place), piece]);
    this.place = 0;
    for (;;) {
      const start = this.place;
      const reply = this.next();
      if (reply === null) {
        this.place = start;
        return;
      }
      yield reply;
    }
  }

  /** The reply that begins here; null if its end has not come yet. */
  private next(): Resp | null {
    const end = this.bytes.indexOf(LINE_END, this.place);
    if (end === -1) return null;
    const type = String.fromCharCode(this.bytes[this.place] ?? 0);
    const head = this.bytes.toString('utf8', this.place + 1, end);
    this.place = end + LINE_END.length;
    const width = LISTS[type];
    if (width !== undefined) return this.list(type === '>' ? 'push' : 'list', Number(head) * width);
    switch (type) {
      case '+':
        return { kind: 'line', text: head };
      case '-':
        return { kind: 'error', text: head };
      case ':':
      case '#':
      case ',':
      case '_':
        return { kind: 'text', text: head };
      case '$':
      case '=':
        return this.text(Number(head));
      default:
        throw new Error(`a server sends what is no RESP: ${JSON.stringify(type + head.slice(0, 100))}`);
    }
  }

  private text(length: number): Resp | null {
    const end = this.place + length;
    if (this.bytes.length < end + LINE_END.length) return null;
    const text = this.bytes.toString('utf8', this.place, end);
    this.place = end + LINE_END.length;
    return { kind: 'text', text };
  }

  private list(kind: 'list' | 'push', length: number): Resp | null {
    const items: Resp[] = [];
    while (items.length < length) {
      const item = this.next();
      if (item === null) return null;
      items.push(item);
    }
    return { kind, items };
  }
}
