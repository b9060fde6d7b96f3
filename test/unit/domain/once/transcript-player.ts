/** Plays a transcript: feeds its inputs to the product's machine and writes down what the machine does. */
import type { Command, Event, OnceRules, Step } from '../../../../src/domain/once/events.js';
import { unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import { beginActing, beginSettling, next } from '../../../../src/domain/once/next.js';
import {
  asHeartbeat,
  endedAs,
  endingOf,
  nothingKnown,
  type Ending,
  type OnceState,
} from '../../../../src/domain/once/state.js';
import { askedAt } from './play-once.js';
import { requireFitting, type Asked } from './transcript-answers.js';
import { parseInput, type Input } from './transcript-inputs.js';
import { printCommand, printStep, printTrail } from './transcript-print.js';
import { rulesOf } from './transcript-setting.js';
import {
  parseTranscript,
  printDuration,
  printInput,
  printOutput,
  printTime,
  STORY_BEGINS_AT_MS,
  type Line,
} from './transcript-text.js';
import { stateAfterTimeout } from './transcript-timeout.js';

/** How long a request takes if no line gives the time of its answer. */
const LATENCY_MS = 100;

/** @returns the transcript with the machine's current output, equal to `text` if nothing changed */
export function playTranscript(text: string): string {
  const { settings, cases } = parseTranscript(text);
  const rules = rulesOf(settings);
  return `${cases.map((lines) => playCase(rules, lines)).join('\n\n')}\n`;
}

function playCase(rules: OnceRules, lines: readonly Line[]): string {
  const player = new Player(rules);
  const printed = lines.flatMap((line) => {
    if (line.kind === 'kept') return [line.text];
    try {
      return [printInput(line.atMs, line.text), ...player.play(line.atMs, line.text).map(printOutput)];
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`"${line.text}" at ${line.atMs === null ? '...' : printTime(line.atMs)}: ${why}`, {
        cause: error,
      });
    }
  });
  const wasPlayed = lines.some(({ kind }) => kind === 'input');
  return [...printed, ...(wasPlayed ? player.summary().map(printOutput) : [])].join('\n');
}

/** An event and the command that it answered. */
interface Answered {
  readonly event: Event;
  readonly asked: Command['kind'];
}

/** A running attempt, and since when it waits for an answer. */
interface Running extends Asked {
  step: Step;
}

class Player {
  #nowMs = STORY_BEGINS_AT_MS;
  #current: Running | null = null;
  #old: Running | null = null;
  #newest: OnceState | null = null;
  /** The newest heartbeat details that the server has, and the previous ones. */
  #reported: OnceState | null = null;
  #reportedBefore: OnceState | null = null;
  #scheduledAtMs: number | null = null;
  #recent: Answered[] = [];
  #posts = 0;

  /** How long the step may take. */
  readonly #stepMs: number;

  constructor(private rules: OnceRules) {
    this.#stepMs = rules.deadlineAtMs - STORY_BEGINS_AT_MS;
  }

  /** @returns the machine's reaction, one line each */
  play(atMs: number | null, text: string): readonly string[] {
    if (atMs !== null && atMs < this.#nowMs) throw new Error(`it is ${printTime(this.#nowMs)} already`);
    this.#nowMs = atMs ?? this.#nowMs;
    const input = parseInput(text, this.#nowMs);
    switch (input.kind) {
      case 'attempt':
        return [this.#beginAttempt(input)];
      case 'settle':
        return [this.#beginSettle(input)];
      case 'killed':
        this.#kill(input.wasReported);
        return [];
      case 'reported':
        this.#report(this.#running().step.state);
        return [];
      case 'gaveUp':
        return this.#giveUp();
      case 'again':
        return this.#repeat(input);
      case 'event':
        return [this.#feed(input.event, input.isOfOldAttempt)];
    }
  }

  /** The summary at the end: the number of POSTs, and the trail as in the report. */
  summary(): readonly string[] {
    const sent = `| ${this.#posts === 1 ? '1 POST' : `${this.#posts} POSTs`} sent in all`;
    return this.#newest === null ? [sent] : [sent, ...printTrail(this.#newest)];
  }

  #beginAttempt({
    attempt,
    scheduledAtMs,
    isInResetRun,
    isAfterClearing,
  }: Extract<Input, { kind: 'attempt' }>): string {
    this.#old = this.#current ?? this.#old;
    if (isAfterClearing) this.#reported = null;
    // A reset run schedules the activity again, without heartbeat details.
    if (isInResetRun && attempt === 1) {
      this.#reported = null;
      this.#scheduledAtMs = scheduledAtMs ?? this.#nowMs;
    }
    const attemptScheduledAtMs = scheduledAtMs ?? this.#dueAtMs();
    this.#scheduledAtMs ??= attemptScheduledAtMs;
    const facts = {
      attempt,
      runId: isInResetRun ? 'reset run' : 'run',
      decidedInRunId: 'run',
      scheduledAtMs: this.#scheduledAtMs,
      attemptScheduledAtMs,
    };
    return this.#begin(beginActing(this.rules, facts, this.#reported, this.#nowMs));
  }

  /** When Temporal schedules the attempt after one that ended; now if the one before reported no end. */
  #dueAtMs(): number {
    const phase = this.#newest?.phase;
    const isDue = this.#current === null && phase?.name === 'ended' && phase.ending.kind === 'failed';
    const dueAtMs = isDue ? (this.#newest?.atMs ?? 0) + (phase.ending.retryInMs ?? 0) : this.#nowMs;
    if (dueAtMs > this.#nowMs) throw new Error(`it is due at ${printTime(dueAtMs)}`);
    return dueAtMs;
  }

  #beginSettle({ isBeforeFirstStep, clearAtMs }: Extract<Input, { kind: 'settle' }>): string {
    const { limits } = this.rules;
    const nowMs = this.#nowMs;
    const rules = { ...this.rules, deadlineAtMs: nowMs + unseenAttemptMs(limits) + this.#stepMs };
    this.rules = rules;
    if (isBeforeFirstStep) {
      const known = nothingKnown(clearAtMs === null ? 'no' : 'unknown', {
        nowMs,
        clearAtMs: clearAtMs ?? 0,
        decidedAtMs: nowMs,
      });
      return this.#begin(beginSettling(rules, endedAs(known, { kind: 'succeeded' }), null, nowMs));
    }
    const left = this.#newest;
    if (left === null) throw new Error('no step ended before');
    const prior = left.goal.kind === 'settle' ? left.goal.prior : asFinal(endingOf(left));
    return this.#begin(beginSettling(rules, left, prior, nowMs));
  }

  #begin(step: Step): string {
    this.#current = { step, command: step.command, askedAtMs: this.#nowMs };
    this.#recent = [];
    return this.#apply(this.#current, step, null);
  }

  #kill(wasReported: boolean): void {
    if (!wasReported) this.#reported = this.#reportedBefore;
    this.#newest = this.#running().step.state;
    this.#current = null;
  }

  #giveUp(): string[] {
    this.#newest = stateAfterTimeout(
      this.#reported,
      this.#nowMs,
      this.#scheduledAtMs ?? this.#nowMs,
      this.rules.limits,
    );
    this.#current = null;
    return [printStep({ state: this.#newest, command: { kind: 'end' } }, null)];
  }

  #feed(event: Event, isOfOldAttempt = false): string {
    const running = isOfOldAttempt ? this.#old : this.#running();
    if (running === null) throw new Error('there is no old attempt');
    requireFitting(running, event, this.#nowMs);
    const { state } = running.step;
    // The server's answer acknowledges a heartbeat.
    if (event.kind === 'standing' && event.standing === 'current' && !isOfOldAttempt) this.#report(state);
    if (!isOfOldAttempt && event.kind !== 'interrupted' && event.kind !== 'heartbeat' && running.command !== null)
      this.#recent.push({ event, asked: running.command.kind });
    const step = next(state, event, this.rules, this.#nowMs);
    running.step = step;
    if (step.command !== null) {
      running.command = step.command;
      running.askedAtMs = this.#nowMs;
    }
    return this.#apply(running, step, state, event.kind === 'heartbeat');
  }

  /** Applies and prints a step. A recorded state reaches the server unless another attempt took over. */
  #apply(running: Running, step: Step, before: OnceState | null, isHeartbeat = false): string {
    const isCurrent = running === this.#current;
    if ((step.record === true || isHeartbeat) && isCurrent) this.#report(asHeartbeat(step.state));
    if (step.command?.kind === 'send') this.#posts++;
    if (isCurrent) this.#newest = step.state;
    if (step.command?.kind === 'end' && isCurrent) this.#current = null;
    const printed = printStep(step, before);
    return isCurrent ? printed : printed.replace('recorded', 'the server rejects its heartbeats');
  }

  #report(state: OnceState): void {
    this.#reportedBefore = this.#reported;
    this.#reported = state;
  }

  /** Repeats the newest events until the machine gives another command, or the time is over. */
  #repeat({ events, untilMs }: Extract<Input, { kind: 'again' }>): string[] {
    const cycle = this.#recent.slice(-events);
    const asked: Command[] = [];
    for (let turn = 0; ; turn++) {
      const again = cycle[turn % cycle.length];
      const command = this.#current?.command ?? null;
      if (again === undefined || command?.kind !== again.asked) throw new Error('nothing can be repeated');
      const dueAtMs = askedAt(command, this.#running().askedAtMs);
      const nowMs = Math.max(this.#nowMs, dueAtMs) + LATENCY_MS;
      if (nowMs > untilMs) return printFolded(asked);
      this.#nowMs = nowMs;
      const printed = this.#feed(at(again.event, nowMs));
      const after = this.#current?.command ?? null;
      if (after === null || after.kind !== cycle[(turn + 1) % cycle.length]?.asked)
        return [...printFolded(asked), `${printed}  at ${printTime(nowMs)}`];
      asked.push(after);
    }
  }

  #running(): Running {
    if (this.#current === null) throw new Error('no attempt runs');
    return this.#current;
  }
}

/** There is no further attempt, so the workflow treats a failure that would be retried as the last one. */
function asFinal(ending: Ending): Ending {
  return ending.kind === 'failed' ? { ...ending, retryInMs: null } : ending;
}

function at(event: Event, observedAtMs: number): Event {
  return event.kind === 'reading'
    ? { ...event, reading: { ...event.reading, observedAtMs }, askedAtMs: observedAtMs }
    : event;
}

function printFolded(asked: readonly Command[]): string[] {
  if (asked.length === 0) return [];
  const pauses = asked.filter((command) => 'inMs' in command).map(({ inMs }) => inMs);
  const first = asked[0] ?? null;
  const shortest = Math.min(...pauses);
  const longest = Math.max(...pauses);
  const range = shortest < longest ? ` to ${printDuration(longest)}` : '';
  const command = first !== null && 'inMs' in first ? { ...first, inMs: shortest } : first;
  return [`→ ${printCommand(command)}${range}, ${asked.length === 1 ? 'once more' : `${asked.length} times`}`];
}
