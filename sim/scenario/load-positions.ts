import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';

/** A step into nested data: a key of a mapping, or an index of a list. */
export type PathStep = string | number;

/** Where a key and its value, or an item of a list, stand. */
interface Place {
  readonly keyOffset: number | null;
  readonly value: Node | null;
}

/** Finds where the parts of a document's data stand in its text. */
export class Positions {
  private readonly document: Document.Parsed;
  /** The places in each mapping that was asked for: a large one is asked for many times. */
  private readonly maps = new WeakMap<YAMLMap, Map<string, Place>>();

  constructor(document: Document.Parsed) {
    this.document = document;
  }

  /** The offset of the value at `path`, or of its key; of what is missing, that of the part which should have it. */
  offsetOf(path: readonly PathStep[], about: 'value' | 'key'): number {
    let node: Node | null = this.document.contents;
    let offset = start(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const place = this.placeOf(node, step);
      const isKeyWanted = about === 'key' && index === path.length - 1;
      const wanted = isKeyWanted ? place?.keyOffset : (start(place?.value) ?? place?.keyOffset);
      if (place === undefined || wanted === undefined || wanted === null) return offset;
      offset = wanted;
      node = place.value;
    }
    return offset;
  }

  private placeOf(parent: Node | null, step: PathStep): Place | undefined {
    const node = isAlias(parent) ? parent.resolve(this.document) : parent;
    if (isMap(node)) return this.placesOf(node).get(String(step));
    if (!isSeq(node) || typeof step !== 'number') return undefined;
    const item = node.items[step];
    return { keyOffset: start(item), value: isNode(item) ? item : null };
  }

  private placesOf(map: YAMLMap): Map<string, Place> {
    let places = this.maps.get(map);
    if (places === undefined) {
      places = new Map(
        map.items.map(({ key, value }) => [
          isScalar(key) ? String(key.value) : '',
          { keyOffset: start(key), value: isNode(value) ? value : null },
        ]),
      );
      this.maps.set(map, places);
    }
    return places;
  }
}

/** The offset of a node's first character; null where there is no node. */
export function start(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

const PLAIN_KEY = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

/** `faults[0].nodes`; keys that are no plain words in quotes. */
export function formatPath(path: readonly PathStep[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
