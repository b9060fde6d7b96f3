/** A readable transcript: time, who, event → command. Repeated lines are folded into one. */
import type { Event, Step } from '../../src/domain/once/events.js';
import type { Ending } from '../../src/domain/once/state.js';
import { describeObservation } from '../../src/domain/target/target.js';
import { BEGIN_MS } from './virtual-time.js';

interface Line {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
  /** Lines with the same key are folded. */
  readonly key: string;
  untilMs: number;
  count: number;
}

/** The lines in order. */
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
      const times = count === 1 ? '' : ` (${count} times, until ${formatTime(untilMs)})`;
      return `${formatTime(atMs).padStart(10)}  ${who.padEnd(width)}  ${text}${times}`;
    });
  }
}

/** `reading RUNNING 2/2, version 1.4.1, J1 SUCCEEDED` */
export function describeEvent(event: Event): string {
  switch (event.kind) {
    case 'reading': {
      const { lastJobId, lastJobStatus } = event.reading;
      return `reading ${describeObservation(event.reading)}, ${lastJobId ?? 'no cloud job'} ${lastJobStatus ?? ''}`.trim();
    }
    case 'standing':
      return `standing: ${event.standing}${event.isAfterTimeout === true ? ', after a timeout' : ''}`;
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
export function describeStep({ state, command }: Step): string {
  const { phase, sent, clearAtMs } = state;
  const inMs = command !== null && 'inMs' in command ? command.inMs : 0;
  const what = command === null ? 'continues' : `${command.kind}${inMs > 0 ? ` in ${formatSeconds(inMs)}` : ''}`;
  const clear = clearAtMs === 0 ? '' : `, clear at ${formatTime(clearAtMs)}`;
  const where = phase.name === 'ended' ? `ended ${describeEnding(phase.ending)}` : phase.name;
  return `→ ${what} [${where}, sent ${sent}${clear}]`;
}

function describeEnding(ending: Ending): string {
  const name = 'failure' in ending ? ` ${ending.failure}` : '';
  const again =
    ending.kind === 'failed' && ending.retryInMs !== null ? `, again in ${formatSeconds(ending.retryInMs)}` : '';
  return `${ending.kind}${name}${again}`;
}

/** Seconds since the beginning. */
export function formatTime(atMs: number): string {
  return formatSeconds(atMs - BEGIN_MS);
}

function formatSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`;
}
