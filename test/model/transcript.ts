/** A transcript that a person reads: time, who, event → command. What repeats is folded into one line. */
import type { Event, Step } from '../../src/domain/once/events.js';
import type { Ending } from '../../src/domain/once/state.js';
import { describeObservation } from '../../src/domain/target/target.js';
import { BEGIN_MS } from './virtual-time.js';

interface Line {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
  /** What makes two lines alike. */
  readonly key: string;
  untilMs: number;
  count: number;
}

/** Lines in their order. */
export class Transcript {
  readonly #lines: Line[] = [];

  add(atMs: number, who: string, text: string): void {
    const key = `${who} ${text.replace(/ in [\d.]+ s/g, '')}`;
    const last = this.#lines.at(-1);
    if (last?.key === key) {
      last.count++;
      last.untilMs = atMs;
    } else this.#lines.push({ atMs, who, text, key, untilMs: atMs, count: 1 });
  }

  get lines(): readonly string[] {
    const width = Math.max(0, ...this.#lines.map(({ who }) => who.length));
    return this.#lines.map(({ atMs, who, text, untilMs, count }) => {
      const times = count === 1 ? '' : ` (${count} times, until ${tellTime(untilMs)})`;
      return `${tellTime(atMs).padStart(10)}  ${who.padEnd(width)}  ${text}${times}`;
    });
  }
}

/** `reading RUNNING 2/2, version 1.4.1, J1 SUCCEEDED` */
export function tellEvent(event: Event): string {
  switch (event.kind) {
    case 'reading': {
      const { lastJobId, lastJobStatus } = event.reading;
      return `reading ${describeObservation(event.reading)}, ${lastJobId ?? 'no cloud job'} ${lastJobStatus ?? ''}`.trim();
    }
    case 'standing':
      return `standing: ${event.standing}${event.isAfterTimeout === true ? ', after a time-out' : ''}`;
    case 'inspected':
      return `inspected: ${event.job === null ? 'unknown' : `by ${event.job.createdBy ?? '?'}, ${event.job.tasks.length} tasks`}`;
    case 'polled':
      return `polled: ${event.job.status}`;
    case 'accepted':
      return `accepted ${event.cloudJobId}`;
    case 'failed':
      return `failed ${event.failure}${event.request === 'no' ? '' : ` (acted: ${event.request})`}`;
    case 'interrupted':
      return `interrupted by ${event.by}`;
    case 'heartbeat':
    case 'reserved':
    case 'connected':
    case 'timeUp':
      return event.kind;
  }
}

/** `→ read in 5.0 s [observing, sent no]` */
export function tellStep({ state, command }: Step): string {
  const { phase, sent, clearAtMs } = state;
  const inMs = command !== null && 'inMs' in command ? command.inMs : 0;
  const what = command === null ? 'goes on' : `${command.kind}${inMs > 0 ? ` in ${tellSeconds(inMs)}` : ''}`;
  const clear = clearAtMs === 0 ? '' : `, clear at ${tellTime(clearAtMs)}`;
  const where = phase.name === 'ended' ? `ended ${tellEnding(phase.ending)}` : phase.name;
  return `→ ${what} [${where}, sent ${sent}${clear}]`;
}

function tellEnding(ending: Ending): string {
  const name = 'failure' in ending ? ` ${ending.failure}` : '';
  const again =
    ending.kind === 'failed' && ending.retryInMs !== null ? `, again in ${tellSeconds(ending.retryInMs)}` : '';
  return `${ending.kind}${name}${again}`;
}

/** Seconds since the beginning. */
export function tellTime(atMs: number): string {
  return tellSeconds(atMs - BEGIN_MS);
}

function tellSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`;
}
