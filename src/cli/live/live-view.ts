/** The live view on a terminal: draws at each change and each second, reads keys, and sends the commands that they give. */
import { emitKeypressEvents } from 'node:readline';
import type { RunSnapshot } from '../../client/report-snapshot.js';
import type { CommandAnswer } from '../../domain/steering/commands.js';
import type { Colors } from '../colors.js';
import { progressBlocks } from '../render-progress.js';
import { printablePainted } from '../terminal-text.js';
import { footLines } from './foot.js';
import { frame, type Size } from './frame.js';
import { wrapped, type Line } from './lines.js';
import { afterAnswer, afterRefusal, press, WATCHING, type Key, type Mode } from './live.js';
import type { Order } from './orders.js';
import { Painter, type Output } from './painter.js';

/** A terminal that has keys; `process.stdin`, or one of a test. */
export type Input = Pick<NodeJS.ReadStream, 'on' | 'removeListener' | 'setRawMode' | 'resume' | 'pause' | 'unref'>;

/** What the view needs. */
export interface LiveViewOptions {
  readonly output: Output;
  /** `null`: no keys. */
  readonly input: Input | null;
  readonly colors: Colors;
  /** Who commands. */
  readonly actor: string;
  /** Sends a command. @throws if it is refused, or not answered */
  readonly send: (order: Order, reason: string) => Promise<CommandAnswer>;
  /** Ends the watching, as Ctrl-C does. */
  readonly leave: () => void;
  /** Stops the process until it is continued, as Ctrl-Z does. */
  readonly suspend: () => void;
}

const REDRAW_MS = 1_000;
/** How long it is shown what a command led to. Chosen: long enough to read, and it is soon history. */
const NOTICE_MS = 20_000;
/** For a terminal that does not report its size, or reports 0 by 0, as some containers and `ssh -tt` do. */
const USUAL_SIZE: Size = { columns: 80, rows: 24 };

/** Draws until `end` is called. */
export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #painter: Painter;
  readonly #timer: NodeJS.Timeout;
  #snapshot: RunSnapshot | null = null;
  #note: readonly Line[] = [];
  #mode: Mode = WATCHING;
  #isPasting = false;
  #hasEnded = false;

  constructor(options: LiveViewOptions) {
    const { output, input } = options;
    this.#options = options;
    this.#painter = new Painter(output);
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    output.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
    if (input === null) return;
    emitKeypressEvents(input as NodeJS.ReadStream);
    input.on('keypress', this.#onKey);
    input.setRawMode(true);
    input.resume();
  }

  /** Shows a newer snapshot. */
  update(snapshot: RunSnapshot): void {
    this.#snapshot = snapshot;
    this.#draw();
  }

  /** Explains why nothing happens; no lines: something does. */
  note(lines: readonly string[]): void {
    this.#note = lines.map((line) => wrapped(0, this.#options.colors.warn(line)));
    this.#draw();
  }

  /** Leaves the terminal as it was, without the keys. @returns true if a command was sent and is not answered */
  end(): boolean {
    const { output, input } = this.#options;
    const isUnanswered = this.#mode.name === 'sending';
    this.#draw(false);
    this.#hasEnded = true;
    clearInterval(this.#timer);
    output.removeListener('resize', this.#onResize);
    process.removeListener('SIGCONT', this.#onContinue);
    if (input !== null) {
      input.removeListener('keypress', this.#onKey);
      input.setRawMode(false);
      input.pause();
      input.unref();
    }
    this.#painter.end();
    return isUnanswered;
  }

  readonly #onKey = (text: string | undefined, { name, ctrl = false }: { name?: string; ctrl?: boolean }): void => {
    if (name === 'paste-start' || name === 'paste-end') this.#isPasting = name === 'paste-start';
    const key: Key = { name, text: text ?? '', ctrl, isPasted: this.#isPasting };
    const { mode, effect } = press(this.#mode, key, this.#snapshot);
    this.#mode = mode;
    // A long paste is drawn once.
    if (!this.#isPasting) this.#draw();
    if (effect?.kind === 'send') void this.#send(effect.order, effect.reason);
    if (effect?.kind === 'leave') this.#options.leave();
    if (effect?.kind === 'suspend') {
      this.#options.input?.setRawMode(false);
      this.#painter.giveBack();
      this.#options.suspend();
    }
  };

  /** The terminal may have wrapped its lines at the new width. */
  readonly #onResize = (): void => {
    this.#painter.clear();
    this.#draw();
  };

  /** After Ctrl-Z, the shell has written below the view. */
  readonly #onContinue = (): void => {
    this.#options.input?.setRawMode(true);
    this.#onResize();
  };

  async #send(order: Order, reason: string): Promise<void> {
    try {
      this.#mode = afterAnswer(await this.#options.send(order, reason));
    } catch (error) {
      this.#mode = afterRefusal(error instanceof Error ? error.message : String(error));
    }
    const answered = this.#mode;
    const forget = () => {
      if (this.#mode !== answered) return;
      this.#mode = WATCHING;
      this.#draw();
    };
    setTimeout(forget, NOTICE_MS).unref();
    this.#draw();
  }

  #draw(withKeys = true): void {
    if (this.#hasEnded) return;
    const { output, colors, actor, input } = this.#options;
    const { columns = 0, rows = 0 } = output;
    const size = columns > 0 && rows > 0 ? { columns, rows } : USUAL_SIZE;
    const snapshot = this.#snapshot;
    const foot = { mode: this.#mode, snapshot, actor, hasKeys: input !== null };
    const view = {
      run: snapshot === null ? NOTHING_YET : progressBlocks(snapshot, Date.now(), colors),
      foot: [...this.#note, ...(withKeys ? footLines(foot, colors) : [])],
    };
    this.#painter.draw(frame(view, size, colors).map(printablePainted));
  }
}

const NOTHING_YET = { head: [], targets: [], gate: [], toCome: [] };
