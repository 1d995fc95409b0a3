import type { RunProgress } from '../../run/run-scenario.ts';
import { formatTimeUs } from '../../text/duration-text.ts';
import type { Output } from '../console/host.ts';
import { ProgressLine } from '../console/progress-line.ts';

const TICK_MS = 1000;

/** Shows on a terminal how far the run is that goes on now: what was told last of it, and for how long it has run in real time. */
export class RunDisplay {
  private readonly line: ProgressLine;
  private readonly isTTY: boolean;
  private where = '';
  private progress: RunProgress | null = null;
  private startMs = 0;
  private isReal = false;
  private ticks: NodeJS.Timeout | null = null;

  constructor(output: Output) {
    this.line = new ProgressLine(output);
    this.isTTY = output.isTTY;
  }

  /** A run begins. `isReal` tells that it takes the time of the real world. */
  begin(where: string, isReal: boolean): void {
    this.where = where;
    this.isReal = isReal;
    this.progress = null;
    this.startMs = performance.now();
    if (isReal && this.isTTY && this.ticks === null) {
      this.ticks = setInterval(() => {
        this.show();
      }, TICK_MS);
      this.ticks.unref();
    }
    if (isReal) this.show();
  }

  update(progress: RunProgress): void {
    this.progress = progress;
    this.show();
  }

  /** The run is over: nothing is shown any more. */
  end(): void {
    if (this.ticks !== null) clearInterval(this.ticks);
    this.ticks = null;
    this.line.clear();
  }

  private show(): void {
    const { progress, where } = this;
    const parts = [where];
    if (progress !== null) {
      parts.push('step' in progress ? progress.step : `at ${formatTimeUs(progress.timeUs)}, ${progress.events} events`);
    }
    if (this.isReal) parts.push(`${Math.floor((performance.now() - this.startMs) / 1000)} s`);
    this.line.show(parts.join(', '));
  }
}
