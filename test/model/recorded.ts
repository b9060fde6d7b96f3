/** The history of an execution: what its workflow asked for, and the answers. A replay after a reset must ask for the same. */
import type { Answer, Ask } from './flow.js';

/** One answer in a history. */
export interface Recorded {
  /** What the workflow had asked for. */
  readonly asked: string;
  readonly answer: Answer;
  readonly atMs: number;
  readonly cancelled: boolean;
}

/** What a new execution keeps after a reset. */
export interface Past {
  readonly recorded: readonly Recorded[];
  /** When the pending activity had been scheduled, if the history contains that too. */
  readonly scheduledAtMs: number | null;
  /** What it is, if the history contains it. */
  readonly pending: string | null;
}

/** What a workflow asks for, as far as its history must show the same when it is replayed: an activity is also asked to cancel. */
export function nameOf(asked: IteratorResult<Ask, unknown>, cancelled: boolean): string {
  if (asked.done === true) return 'the end';
  const { value } = asked;
  if (value.kind === 'approval' || value.kind === 'check') return `${value.kind} ${value.step}`;
  if (value.kind !== 'activity') return value.kind;
  return value.isCancellable && cancelled ? `${value.stepId}, cancelled` : value.stepId;
}

/** Temporal fails the task of a workflow that does something else than its history shows, again and again. @throws TypeError */
export function requireSameAsk(recorded: string, asked: IteratorResult<Ask, unknown>, cancelled: boolean): void {
  const replayed = nameOf(asked, cancelled);
  if (replayed !== recorded)
    throw new TypeError(`The replay after a reset asks for ${replayed}, and the history shows ${recorded}`);
}
