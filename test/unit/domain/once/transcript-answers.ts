/** A transcript tells only what can happen: which event answers which command, and when. */
import type { Command, Event } from '../../../../src/domain/once/events.js';
import { printCommand } from './transcript-print.js';
import { printTime } from './transcript-text.js';

/** What an attempt asked, and when. */
export interface Asked {
  command: Command | null;
  askedAtMs: number;
}

/** Which events answer which command. */
const ANSWERS: Readonly<Record<Command['kind'], readonly Event['kind'][]>> = {
  askServer: ['standing', 'timeUp'],
  lease: ['standing', 'timeUp'],
  reserve: ['reserved', 'failed', 'timeUp'],
  read: ['reading', 'failed', 'timeUp'],
  inspect: ['inspected', 'failed', 'timeUp'],
  poll: ['polled', 'failed', 'timeUp'],
  connect: ['connected', 'failed'],
  send: ['accepted', 'failed'],
  end: [],
};

/** @throws Error where the event does not answer what was asked, comes before it was asked, or after it was given up */
export function requireFitting({ command, askedAtMs }: Asked, event: Event, nowMs: number): void {
  if (event.kind === 'interrupted' || event.kind === 'heartbeat') return;
  if (command === null || !ANSWERS[command.kind].includes(event.kind))
    throw new Error(`the machine waits for an answer to: ${printCommand(command)}`);
  const earliestMs = askedAtMs + ('inMs' in command && event.kind !== 'timeUp' ? command.inMs : 0);
  if (nowMs < earliestMs) throw new Error(`it is asked at ${printTime(earliestMs)} only`);
  const giveUpAtMs = 'giveUpAtMs' in command ? command.giveUpAtMs : Infinity;
  if (event.kind === 'timeUp' ? nowMs < giveUpAtMs : nowMs > giveUpAtMs)
    throw new Error(`it is given up at ${printTime(giveUpAtMs)}`);
}
