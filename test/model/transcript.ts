/** Events and commands in a few words each, for a transcript that a person reads. */
import type { Event, Step } from '../../src/domain/once/events.js';
import { describeObservation } from '../../src/domain/target.js';
import { BEGIN_MS } from './virtual-time.js';

/** `reading RUNNING 2/2, version 1.4.1, J1 SUCCEEDED` */
export function tellEvent(event: Event): string {
  switch (event.kind) {
    case 'reading': {
      const { lastJobId, lastJobStatus } = event.reading;
      return `reading ${describeObservation(event.reading)}, ${lastJobId ?? 'no cloud job'} ${lastJobStatus ?? ''}`.trim();
    }
    case 'standing':
      return `standing: ${event.standing}`;
    case 'inspected':
      return `inspected: ${event.job === null ? 'unknown' : `by ${event.job.createdBy ?? '?'}, ${event.job.tasks.length} tasks`}`;
    case 'polled':
      return `polled: ${event.job.status}`;
    case 'accepted':
      return `accepted ${event.cloudJobId}`;
    case 'failed':
      return `failed ${event.failure} (acted: ${event.request})`;
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
export function tellStep({ state, command, record }: Step): string {
  const { phase, sent, clearAtMs } = state;
  const wait = command !== null && 'inMs' in command && command.inMs > 0 ? ` in ${(command.inMs / 1000).toFixed(1)} s` : '';
  const what = command === null ? 'goes on' : `${command.kind}${wait}`;
  const clear = clearAtMs === 0 ? '' : `, clear at ${tellTime(clearAtMs)}`;
  const ending = phase.name === 'ended' ? ` ${tellEnding(phase.ending)}` : '';
  return `→ ${what} [${phase.name}${ending}, sent ${sent}${clear}]${record === true ? ' recorded' : ''}`;
}

function tellEnding(ending: Extract<Step['state']['phase'], { name: 'ended' }>['ending']): string {
  const name = 'failure' in ending ? ` ${ending.failure}` : '';
  const again = ending.kind === 'failed' && ending.retryInMs !== null ? `, again in ${(ending.retryInMs / 1000).toFixed(1)} s` : '';
  const message = 'message' in ending ? ` "${ending.message}"` : '';
  return `${ending.kind}${name}${again}${message}`;
}

/** Seconds since the beginning. */
export function tellTime(atMs: number): string {
  return `${((atMs - BEGIN_MS) / 1000).toFixed(3)} s`;
}
