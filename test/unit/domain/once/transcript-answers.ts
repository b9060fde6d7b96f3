/** Rejects impossible transcripts: each event must answer the command that was given, and in time. */
import type { Command, Event } from '../../../../src/domain/once/events.js';
import { printCommand } from './transcript-print.js';
import { printTime } from './transcript-text.js';

/** The command of an attempt, and when it was given. */
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

/** @throws Error if the event does not answer the command, comes before it, or after it was given up */
export function requireFitting({ command, askedAtMs }: Asked, event: Event, nowMs: number): void {
  if (event.kind === 'interrupted' || event.kind === 'heartbeat') return;
  if (command === null || !ANSWERS[command.kind].includes(event.kind))
    throw new Error(`the machine waits for an answer to: ${printCommand(command)}`);
  const earliestMs = askedAtMs + ('inMs' in command && event.kind !== 'timeUp' ? command.inMs : 0);
  if (nowMs < earliestMs) throw new Error(`it is not asked before ${printTime(earliestMs)}`);
  const giveUpAtMs = 'giveUpAtMs' in command ? command.giveUpAtMs : Infinity;
  if (event.kind === 'timeUp' ? nowMs < giveUpAtMs : nowMs > giveUpAtMs)
    throw new Error(`it is given up at ${printTime(giveUpAtMs)}`);
}
