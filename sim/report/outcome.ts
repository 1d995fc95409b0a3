import type { Outcome } from '../judge/judgement.ts';
import { markup, type Markup } from './markup.ts';

const OUTCOMES: Readonly<Record<Outcome, { readonly words: string; readonly sign: string; readonly meaning: string }>> =
  {
    'as-expected': {
      words: 'as expected',
      sign: '✓',
      meaning: 'Every verdict is the one that the scenario expects, and all that had to happen did.',
    },
    'not-as-expected': {
      words: 'not as expected',
      sign: '✗',
      meaning: 'A verdict is not the one that the scenario expects.',
    },
    unknown: {
      words: 'unknown',
      sign: '?',
      meaning: 'This run proves nothing: it is not a success.',
    },
  };

export function outcomeWords(outcome: Outcome): string {
  return OUTCOMES[outcome].words;
}

export function outcomeMeaning(outcome: Outcome): string {
  return OUTCOMES[outcome].meaning;
}

/** The outcome in words, with a sign and a colour. */
export function renderOutcome(outcome: Outcome): Markup {
  const { words, sign } = OUTCOMES[outcome];
  return markup`<span class="outcome ${outcome}"><span aria-hidden="true">${sign}</span> ${words}</span>`;
}

/** The status of a property, or what was expected of it; null is a dash. */
export function renderStatus(status: 'ok' | 'violated' | 'unknown' | null): Markup {
  if (status === null) return markup`<span class="status none" title="not judged by the scenario">–</span>`;
  return markup`<span class="status ${status}">${status}</span>`;
}
