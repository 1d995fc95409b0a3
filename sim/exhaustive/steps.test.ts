import { describe, expect, it } from 'vitest';
import { codeOf, parseStep, STEP_KINDS, stepText } from './steps.ts';

describe('the notation of steps', () => {
  it('writes what it reads, for every step', () => {
    const texts = new Set<string>();
    for (let kind = 0; kind < STEP_KINDS.length; kind += 1) {
      for (let client = 0; client < 4; client += 1) {
        for (let node = 0; node < 7; node += 1) {
          const text = stepText(codeOf(kind, client, node));
          texts.add(text);
          const code = parseStep(text);
          expect(code === null ? null : stepText(code)).toBe(text);
        }
      }
    }
    expect(texts).toContain('acquire:A');
    expect(texts).toContain('run:B@n3');
    expect(texts).toContain('timer:A#2');
    expect(texts).toContain('tick');
    expect(texts).toContain('crash:n2');
    expect(texts).toContain('clock-back:D');
  });

  it.each(['', 'walk', 'run', 'run:A', 'run:@n1', 'run:E@n1', 'run:A@n9', 'tick:A', 'crash:A', 'timer:A', 'run:A@n1 '])(
    'does not read %j',
    (text) => {
      expect(parseStep(text)).toBeNull();
    },
  );
});
