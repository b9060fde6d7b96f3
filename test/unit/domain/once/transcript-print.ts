/** Prints what the machine did: its command, what is new in its state, and the end. */
import type { Command, Step } from '../../../../src/domain/once/events.js';
import type { Ending, OnceState } from '../../../../src/domain/once/state.js';
import { printDuration, printTime, withStoryTimes } from './transcript-text.js';

/** @param before the previous state; `null` at the begin of an attempt */
export function printStep({ state, command, record }: Step, before: OnceState | null): string {
  const changes = changesSince(before, state);
  if (record === true) changes.push('recorded');
  const what = state.phase.name === 'ended' ? `= ${printEnding(state.phase.ending)}` : `→ ${printCommand(command)}`;
  return changes.length === 0 ? what : `${what}  [${changes.join(', ')}]`;
}

export function printCommand(command: Command | null): string {
  switch (command?.kind) {
    case undefined:
      return 'continue';
    case 'askServer':
      return `ask the server, until ${printTime(command.giveUpAtMs)}`;
    case 'lease':
      return `ask for the send lease${command.isYoung ? ' by a heartbeat alone' : ''}, until ${printTime(command.giveUpAtMs)}`;
    case 'reserve':
      return `reserve a place for a POST, until ${printTime(command.giveUpAtMs)}`;
    case 'read':
      return `read the instance${printPause(command.inMs)}`;
    case 'inspect':
      return `inspect ${command.cloudJobId}`;
    case 'poll':
      return `poll ${command.cloudJobId}, by ${printTime(command.latestAtMs)}`;
    case 'connect':
    case 'send':
    case 'end':
      return command.kind;
  }
}

function printPause(inMs: number): string {
  return inMs === 0 ? '' : ` in ${printDuration(inMs)}`;
}

function printEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'succeeded':
    case 'skipped':
      return ending.kind;
    case 'superseded':
      return 'superseded: ends silently';
    case 'cancelled':
      return `cancelled: ${ending.message}`;
    case 'indeterminate':
      return `indeterminate, ${ending.failure}: ${withStoryTimes(ending.message)}`;
    case 'failed': {
      const again = ending.retryInMs === null ? '' : `, tried again in ${printDuration(ending.retryInMs)}`;
      return `failed ${ending.failure}${again}: ${withStoryTimes(ending.message)}`;
    }
  }
}

/** The differences that matter to an operator. */
function changesSince(before: OnceState | null, state: OnceState): string[] {
  const changes: string[] = [];
  const { phase, sent, clearAtMs, cloudJob, heardAtMs } = state;
  const isOver = phase.name === 'ended';
  if (phase.name !== before?.phase.name && !isOver) changes.push(phase.name);
  if (sent !== before?.sent || isOver) changes.push(`sent ${sent}`);
  if (cloudJob !== null && (cloudJob.id !== before?.cloudJob?.id || isOver))
    changes.push(`cloud job ${cloudJob.id}${cloudJob.evidence === undefined ? '' : ' (adopted)'}`);
  if (clearAtMs !== (before?.clearAtMs ?? 0) || (isOver && clearAtMs !== 0))
    changes.push(clearAtMs === 0 ? 'clear at once' : `clear at ${printTime(clearAtMs)}`);
  if (before === null ? heardAtMs !== state.atMs : heardAtMs !== before.heardAtMs)
    changes.push(`alive at ${printTime(heardAtMs)}`);
  return changes;
}

/** The trail as the report shows it. */
export function printTrail({ trail }: OnceState): string[] {
  return trail.map(({ attempt, atMs, decision, note, count, lastAtMs }) => {
    const often = count === undefined ? '' : ` ×${count}, last ${printTime(lastAtMs ?? atMs)}`;
    const words = note === undefined ? '' : `: ${withStoryTimes(note)}`;
    return `| ${printTime(atMs).padStart(7)}  attempt ${attempt}  ${decision}${often}${words}`;
  });
}
