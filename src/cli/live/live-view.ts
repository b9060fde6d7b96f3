/** The live view on a terminal: draws at each change and each second, reads keys, and sends the commands that they give. */
import { StringDecoder } from 'node:string_decoder';
import type { RunSnapshot } from '../../client/report-snapshot.js';
import type { CommandAnswer } from '../../domain/steering/commands.js';
import type { Colors } from '../colors.js';
import { progressBlocks } from '../render-progress.js';
import { printablePainted } from '../terminal-text.js';
import { footLines } from './foot.js';
import { frame, type Size } from './frame.js';
import { wrapped, type Line } from './lines.js';
import { afterAnswer, afterRefusal, WATCHING, type Effect } from './live.js';
import type { Order } from './orders.js';
import { Painter, type Output } from './painter.js';
import { hintOf, MARK_PASTES, NOTHING_TYPED, settle, type, UNMARK_PASTES, type Typed } from './typing.js';

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
  readonly #decoder = new StringDecoder('utf8');
  #snapshot: RunSnapshot | null = null;
  #note: readonly Line[] = [];
  #typing = NOTHING_TYPED;
  #held: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(options: LiveViewOptions) {
    const { output, input } = options;
    this.#options = options;
    this.#painter = input === null ? new Painter(output) : new Painter(output, MARK_PASTES, UNMARK_PASTES);
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    output.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
    if (input === null) return;
    input.on('data', this.#onRead);
    input.setRawMode(true);
    input.resume();
  }

  /** Shows a newer snapshot. */
  update(snapshot: RunSnapshot): void {
    if (isNewlyBlocked(this.#snapshot, snapshot)) this.#note = this.#note.filter(({ text }) => !TRIED_AGAIN.test(text));
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
    const isUnanswered = this.#typing.mode.name === 'sending';
    this.#draw(false);
    this.#hasEnded = true;
    clearInterval(this.#timer);
    clearTimeout(this.#held);
    output.removeListener('resize', this.#onResize);
    process.removeListener('SIGCONT', this.#onContinue);
    if (input !== null) {
      input.removeListener('data', this.#onRead);
      input.setRawMode(false);
      input.pause();
      input.unref();
    }
    this.#painter.end();
    return isUnanswered;
  }

  readonly #onRead = (bytes: Buffer): void => {
    this.#follow(type(this.#typing, this.#decoder.write(bytes), performance.now(), this.#snapshot));
  };

  #follow({ typing, effect }: Typed): void {
    this.#typing = typing;
    clearTimeout(this.#held);
    // What was typed meanwhile is read first, if the process was busy when the time had come.
    const count = () => setImmediate(() => !this.#hasEnded && this.#follow(settle(this.#typing, performance.now())));
    if (typing.held !== null) this.#held = setTimeout(count, Math.max(1, typing.held.untilMs - performance.now()));
    this.#draw();
    if (effect !== null) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return void this.#send(effect.order, effect.reason);
      case 'leave':
        return this.#options.leave();
      case 'suspend':
        this.#options.input?.setRawMode(false);
        this.#painter.restore();
        return this.#options.suspend();
    }
  }

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
    const answered = await this.#options
      .send(order, reason)
      .then(afterAnswer, (error: unknown) => afterRefusal(error instanceof Error ? error.message : String(error)));
    this.#typing = { ...this.#typing, mode: answered };
    const forget = () => {
      if (this.#typing.mode !== answered) return;
      this.#typing = { ...this.#typing, mode: WATCHING };
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
    const { mode } = this.#typing;
    const foot = { mode, hint: hintOf(this.#typing, performance.now()), snapshot, actor, hasKeys: input !== null };
    const view = {
      run: snapshot === null ? NOTHING_YET : progressBlocks(snapshot, Date.now(), colors),
      foot: [...this.#note, ...(withKeys ? footLines(foot, colors) : [])],
    };
    this.#painter.draw(frame(view, size, colors).map(printablePainted));
  }
}

/** The words of an explanation that a step is retried, which a block has overtaken. */
const TRIED_AGAIN = / is (?:being )?tried again /u;

function isNewlyBlocked(before: RunSnapshot | null, { targets }: RunSnapshot): boolean {
  const was = new Set(before?.targets.flatMap(({ path, blocked }) => (blocked === undefined ? [] : [path])));
  return targets.some(({ path, blocked }) => blocked !== undefined && !was.has(path));
}

const NOTHING_YET = { head: [], targets: [], gate: [], toCome: [] };
