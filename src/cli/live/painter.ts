/** Draws lines in place on a terminal: each frame over the one before. Lines must fit its width, and be fewer than its rows. */

/** A terminal to draw on: `process.stdout`, or one of a test. */
export interface Output {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): boolean;
  on(event: 'resize', listener: () => void): unknown;
  removeListener(event: 'resize', listener: () => void): unknown;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const ERASE_TO_END_OF_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const TO_THE_CORNER = '\u001b[H';

/** The cursor is below the newest frame. */
export class Painter {
  #shown: readonly string[] = [];

  /**
   * @param settings is written with the first frame and after each `clear`
   * @param unset undoes it
   */
  constructor(
    private readonly output: Output,
    private readonly settings = '',
    private readonly unset = '',
  ) {
    output.write(`${HIDE_CURSOR}${settings}`);
    process.on('exit', this.restore);
  }

  /** Writes only the lines that differ from those of the frame before. */
  draw(lines: readonly string[]): void {
    const shown = this.#shown;
    if (lines.length === shown.length && lines.every((line, index) => line === shown[index])) return;
    const up = shown.length === 0 ? '' : `\u001b[${shown.length}A`;
    const drawn = lines.map((line, index) => (line === shown[index] ? '\n' : `${line}${ERASE_TO_END_OF_LINE}\n`));
    this.#shown = lines;
    this.output.write(`${up}${drawn.join('')}${ERASE_BELOW}`);
  }

  /** Clears the screen, because it no longer shows what was drawn there. The next frame begins at the top. */
  clear(): void {
    this.#shown = [];
    this.output.write(`${HIDE_CURSOR}${this.settings}${TO_THE_CORNER}${ERASE_BELOW}`);
  }

  /** Leaves the terminal as it was; the newest frame stays. */
  end(): void {
    process.removeListener('exit', this.restore);
    this.restore();
  }

  /** Shows the cursor again. The process may end, or be stopped, at any time after it. */
  readonly restore = (): void => {
    this.output.write(`${this.unset}${SHOW_CURSOR}`);
  };
}
