import { clipText } from '../../text/visible-text.ts';
import type { Output } from './host.ts';

const ERASE_LINE = '\r\u001B[2K';
const USUAL_COLUMNS = 80;

/** One line at the bottom of a terminal that is written over and over. Where there is no terminal, it writes nothing. */
export class ProgressLine {
  private readonly output: Output;
  private isShown = false;

  constructor(output: Output) {
    this.output = output;
  }

  show(text: string): void {
    if (!this.output.isTTY) return;
    // A line as long as the terminal is wide would already begin the next one.
    const columns = (this.output.columns ?? USUAL_COLUMNS) - 1;
    this.output.write(`${ERASE_LINE}${clipText(text, columns)}`);
    this.isShown = true;
  }

  clear(): void {
    if (this.isShown) this.output.write(ERASE_LINE);
    this.isShown = false;
  }
}
