/** The live view without a terminal: its text, and a terminal that shows what was written to it. */
import { EventEmitter } from 'node:events';
import type { Colors } from '../../src/cli/colors.js';
import { frame, type Size } from '../../src/cli/live/frame.js';
import { progressBlocks } from '../../src/cli/render-progress.js';
import type { RunSnapshot } from '../../src/client/report-snapshot.js';
import type { RunProgress, StepProgress, TargetProgress } from '../../src/domain/report/progress.js';

/** As much room as anything needs. */
const LARGE: Size = { columns: 400, rows: 1_000 };

/** The run as the live view shows it. @param nowMs epoch milliseconds */
export function renderProgress(snapshot: RunSnapshot, nowMs: number, colors: Colors, size: Size = LARGE): string {
  return frame({ run: progressBlocks(snapshot, nowMs, colors), foot: [] }, size, colors).join('\n');
}

/** A step that has not begun. */
export function aShownStep(change: Partial<StepProgress> = {}): StepProgress {
  return {
    ...{ id: 'restart', title: 'restart', state: 'pending', startedAtMs: null, endedAtMs: null },
    ...{ cloudJobId: null, seen: null, failure: null },
    ...change,
  };
}

/** A target under way, without steps. */
export function aShownTarget(path: string, change: Partial<TargetProgress> = {}): TargetProgress {
  return { path, phase: 'running', seen: null, steps: [], compensations: [], outcome: null, ...change };
}

/** A run with targets that have begun, and paths of others. */
export function aRun(
  targets: readonly TargetProgress[],
  toCome: readonly string[] = [],
  change: Partial<RunProgress> = {},
): RunSnapshot {
  const begun = targets.map(({ path, outcome }) => ({ path, leaseId: 'l', childRunId: 'r', outcome }));
  const others = toCome.map((path) => ({ path, leaseId: 'l', childRunId: null, outcome: null }));
  return {
    workflowId: 'night-1',
    run: {
      ...{ runbook: 'recover', phase: 'running', planHash: 'h', startedAtMs: 0, outcome: null },
      targets: [...begun, ...others],
      ...change,
    },
    targets,
  };
}

/** A run with one target. */
export function aRunOf(
  steps: readonly StepProgress[],
  { run = {} }: { readonly run?: Partial<RunProgress> } = {},
): RunSnapshot {
  return aRun([aShownTarget('shop/cart/prod-1', { steps })], [], run);
}

const SEQUENCE = new RegExp(String.raw`^\u001b\[([?\d;]*)([A-Za-z])$`);
const SEQUENCE_OR_CHARACTER = new RegExp(String.raw`\u001b\[[?\d;]*[A-Za-z]|[^\u001b]`, 'gu');

/** What a terminal shows, for the few sequences that the live view writes. It does not wrap: a line that is too long is an error. */
export class Screen extends EventEmitter {
  readonly isTTY = true;
  #cells: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(
    public columns: number,
    public rows: number,
  ) {
    super();
  }

  /** Without the empty lines at the end. */
  get lines(): string[] {
    const end = this.#cells.findLastIndex((line) => line.trim() !== '');
    return this.#cells.slice(0, end + 1).map((line) => line.trimEnd());
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }

  write(text: string): boolean {
    for (const [part] of text.matchAll(SEQUENCE_OR_CHARACTER)) this.#print(part);
    return true;
  }

  #print(part: string): void {
    const [, count = '', what] = SEQUENCE.exec(part) ?? [];
    if (what !== undefined) this.#obey(what, count);
    else if (part === '\n') {
      this.#row++;
      this.#column = 0;
    } else {
      const line = (this.#cells[this.#row] ?? '').padEnd(this.#column);
      this.#cells[this.#row] = `${line.slice(0, this.#column)}${part}${line.slice(this.#column + 1)}`;
      this.#column++;
      if (this.columns > 0 && this.#column > this.columns) throw new Error(`Longer than ${this.columns}: ${line}`);
    }
    for (let row = 0; row <= this.#row; row++) this.#cells[row] ??= '';
  }

  #obey(what: string, count: string): void {
    const times = Number(count === '' ? 1 : count);
    if (what === 'A') this.#row = Math.max(0, this.#row - times);
    else if (what === 'B') this.#row += times;
    else if (what === 'G') this.#column = 0;
    else if (what === 'H') [this.#row, this.#column] = [0, 0];
    else if (what === 'J') this.#cells = this.#cells.slice(0, this.#row + 1).with(this.#row, '');
    else if (what === 'K') this.#erase(count);
    else if (what !== 'h' && what !== 'l') throw new Error(`Not known: ESC [ ${count} ${what}`);
  }

  #erase(count: string): void {
    const line = this.#cells[this.#row] ?? '';
    this.#cells[this.#row] = count === '2' ? '' : line.slice(0, this.#column);
  }
}
