import { Interner } from './interner.ts';

interface GrantTrace {
  /** Tokens granted so far, ascending. */
  readonly tokens: readonly number[];
  /** What was granted, in order, in words; empty unless that is kept. */
  readonly grants: readonly string[];
}

/** Which locks were granted so far, each such history with a number; 0 where there was none. */
export class GrantTraces {
  private readonly traces = new Interner<GrantTrace>('histories of grants');
  private readonly keepsGrants: boolean;

  /** `keepsGrants`: whether to tell histories apart by more than their tokens. */
  constructor(keepsGrants: boolean) {
    this.keepsGrants = keepsGrants;
    this.intern([], []);
  }

  /** The history after one more grant; `token` is -1 where it brought none. */
  after(trace: number, token: number, grant: string): number {
    const { tokens, grants } = this.traces.at(trace);
    return this.intern(
      token < 0 ? tokens : [...tokens, token].sort((one, other) => one - other),
      this.keepsGrants ? [...grants, grant] : grants,
    );
  }

  /** 0 where no lock carried a token. */
  largestToken(trace: number): number {
    return this.traces.at(trace).tokens.at(-1) ?? 0;
  }

  hasToken(trace: number, token: number): boolean {
    return this.traces.at(trace).tokens.includes(token);
  }

  textOf(trace: number): string {
    const { tokens, grants } = this.traces.at(trace);
    return [...grants, ...(tokens.length > 0 ? [`tokens ${tokens.join(', ')}`] : [])].join('; ');
  }

  private intern(tokens: readonly number[], grants: readonly string[]): number {
    return this.traces.intern(`${tokens.join(',')}|${grants.join(';')}`, () => ({ tokens, grants }));
  }
}
