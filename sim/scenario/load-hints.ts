import { distance } from 'fastest-levenshtein';

/** The candidate that somebody who wrote `text` most likely meant; null if none is near. */
export function nearest(text: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  // Two letters that changed places are two edits.
  let least = 1 + (text.length < 4 ? 1 : Math.max(2, Math.floor(text.length / 3)));
  for (const candidate of candidates) {
    const letters = distance(text.toLowerCase(), candidate.toLowerCase());
    if (letters < least) {
      best = candidate;
      least = letters;
    }
  }
  return best;
}

/** `did you mean x? ` if a candidate is near, then what is allowed. */
export function hint(text: string, candidates: readonly string[], allowed: string): string {
  const meant = nearest(text, candidates);
  return meant === null ? allowed : `did you mean ${meant}? ${allowed}`;
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

const MOST_QUOTED = 60;

/** A value of a file for a message, in one short line. */
export function quote(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping of keys';
  const text = JSON.stringify(value);
  // JSON has no word for the numbers .inf and .nan.
  if (typeof value === 'number') return `${value}`;
  return text.length <= MOST_QUOTED ? text : `${text.slice(0, MOST_QUOTED)}…`;
}
