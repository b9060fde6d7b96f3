/** Runs the commands of the once machine in virtual time: each waits for its pause, then a simple world answers. */
import { plainPollMs } from '../../../../src/domain/durations/plain-rule.js';
import type { CloudJob } from '../../../../src/domain/target/cloud-job.js';
import type {
  AttemptFacts,
  Command,
  Event,
  OnceRules,
  RequestFailed,
  Standing,
  Step,
} from '../../../../src/domain/once/events.js';
import { beginActing, beginSettling, next } from '../../../../src/domain/once/next.js';
import {
  endingOf,
  isSilent,
  type Ending,
  type Interruption,
  type OnceState,
  type PhaseName,
} from '../../../../src/domain/once/state.js';
import type { Observation } from '../../../../src/domain/target/target.js';
import { aCloudJob, anObservation, aSendingState, attemptFacts, onceRules } from '../../../support/build.js';

/** By default the POST is accepted as JOB-1, which has succeeded at the first poll, and the instance is stopped. Times are epoch milliseconds. */
export interface World {
  readonly standing?: Standing;
  /** At the barrier the server reports that the attempt before timed out. */
  readonly isAfterTimeout?: true;
  /** Why the worker must not serve the target. */
  readonly elsewhere?: string;
  /** The server's answer to the request for the send lease. */
  readonly lease?: Standing;
  /** @param sentAtMs when the first byte of the POST went out */
  readonly read?: (atMs: number, sentAtMs: number | null) => Observation | RequestFailed;
  /** The answer to polls and inspections; `null` if the API does not know the cloud job. */
  readonly job?: (atMs: number) => CloudJob | RequestFailed | null;
  readonly ownUserId?: string;
  readonly reserve?: RequestFailed;
  readonly connect?: RequestFailed;
  readonly post?: RequestFailed;
  /** A frozen process sends no heartbeats. */
  readonly isFrozen?: true;
  /** How long an answer takes; none by default. */
  readonly latencyMs?: Partial<Record<Command['kind'], number>>;
  readonly interruption?: { readonly by: Interruption; readonly atMs: number };
}

/** What an attempt did. */
export interface Played {
  readonly state: OnceState;
  readonly ending: Ending;
  readonly endedAtMs: number;
  readonly sentAtMs: number | null;
  /** The phase in which it was interrupted. */
  readonly interruptedIn: PhaseName | null;
  /** Each command with its time and the state at that time. */
  readonly commands: readonly { readonly atMs: number; readonly command: Command; readonly state: OnceState }[];
  /** States that had to reach the server at once. */
  readonly recorded: readonly OnceState[];
}

/** When the second attempt begins. */
export const AGAIN_MS = 70_000;

/** An attempt at the decision; by default the first one, which begins when it is scheduled. */
export function act(
  world: World = {},
  change: Partial<OnceRules> = {},
  of: { facts?: Partial<AttemptFacts>; previous?: OnceState | null; nowMs?: number } = {},
): Played {
  const rules = onceRules(change);
  const facts = attemptFacts(of.facts);
  const nowMs = of.nowMs ?? facts.attemptScheduledAtMs;
  const begin = beginActing(rules, facts, of.previous ?? null, nowMs, world.elsewhere);
  return play(begin, world, rules, nowMs);
}

/** Runs attempt after attempt like Temporal, each from the state that the one before left, until one is not retried. */
export function actToTheEnd(...[world = {}, change, of = {}]: Parameters<typeof act>): Played {
  let played = act(world, change, of);
  for (let { attempt } = played.state; ; attempt++) {
    const { ending, endedAtMs, commands, recorded, sentAtMs } = played;
    if (ending.kind !== 'failed' || ending.retryInMs === null) return played;
    const facts = { ...of.facts, attempt: attempt + 1, attemptScheduledAtMs: endedAtMs + ending.retryInMs };
    const next = act(world, change, { facts, previous: recorded.at(-1) ?? null });
    played = {
      ...next,
      sentAtMs: next.sentAtMs ?? sentAtMs,
      commands: [...commands, ...next.commands],
      recorded: [...recorded, ...next.recorded],
    };
  }
}

/** All attempts after one that was lost once it had its send lease. */
export function actAgain(world: World = {}, change: Partial<OnceRules> = {}): Played {
  return actToTheEnd(world, change, {
    facts: { attempt: 2, attemptScheduledAtMs: AGAIN_MS },
    previous: aSendingState({ trail: [{ attempt: 1, atMs: 1_000, decision: 'entered' }] }),
  });
}

/** @param prior how the step ended; `null` before a first step */
export function settle(
  left: OnceState,
  prior: Ending | null,
  world: World = {},
  change: Partial<OnceRules> = {},
  nowMs = left.atMs,
): Played {
  const rules = onceRules(change);
  return play(beginSettling(rules, left, prior, nowMs, world.elsewhere), world, rules, nowMs);
}

/** Far more than any attempt needs, so that a machine that never ends does not hang its test. */
const MOST_COMMANDS = 5_000;

function play(begin: Step, world: World, rules: OnceRules, fromMs: number): Played {
  const commands: { atMs: number; command: Command; state: OnceState }[] = [];
  const recorded: OnceState[] = [];
  let step = begin;
  let nowMs = fromMs;
  let sentAtMs: number | null = null;
  let { interruption } = world;
  let interruptedIn: PhaseName | null = null;
  const heartbeatIntervalMs = rules.limits.heartbeatTimeoutMs / 3;
  let nextHeartbeatMs = fromMs + heartbeatIntervalMs;
  const heartbeatUntil = (untilMs: number) => {
    for (; nextHeartbeatMs <= untilMs; nextHeartbeatMs += heartbeatIntervalMs) {
      if (world.isFrozen === true || isSilent(step.state)) continue;
      step = { ...step, state: next(step.state, { kind: 'heartbeat' }, rules, nextHeartbeatMs).state };
    }
  };
  const advance = (to: Step, atMs: number) => {
    if (to.record === true) recorded.push(to.state);
    nowMs = atMs;
    return to;
  };
  advance(begin, fromMs);
  for (;;) {
    const { command } = step;
    if (command === null) throw new Error('Only an interruption is answered without a command');
    commands.push({ atMs: nowMs, command, state: step.state });
    if (commands.length > MOST_COMMANDS) throw new Error(`It never ends: ${JSON.stringify(step.state.phase)}`);
    if (command.kind === 'end')
      return {
        state: step.state,
        ending: endingOf(step.state),
        endedAtMs: nowMs,
        sentAtMs,
        interruptedIn,
        commands,
        recorded,
      };
    if (command.kind === 'send') sentAtMs = nowMs;
    const { event, atMs } = answerTo(command, world, nowMs, sentAtMs);
    if (interruption !== undefined && interruption.atMs <= atMs) {
      const interruptedAtMs = Math.max(nowMs, interruption.atMs);
      heartbeatUntil(interruptedAtMs);
      const instead = advance(
        next(step.state, { kind: 'interrupted', by: interruption.by }, rules, interruptedAtMs),
        interruptedAtMs,
      );
      interruptedIn = step.state.phase.name;
      interruption = undefined;
      step = instead;
      if (instead.command !== null) continue;
    }
    heartbeatUntil(atMs);
    step = advance(next(step.state, event, rules, atMs), atMs);
  }
}

function answerTo(
  command: Exclude<Command, { kind: 'end' }>,
  world: World,
  nowMs: number,
  sentAtMs: number | null,
): { readonly event: Event; readonly atMs: number } {
  const askedAtMs = askedAt(command, nowMs);
  const atMs = askedAtMs + (world.latencyMs?.[command.kind] ?? 0);
  if ('giveUpAtMs' in command && command.giveUpAtMs < atMs)
    return { event: { kind: 'timeUp' }, atMs: Math.max(nowMs, command.giveUpAtMs) };
  return { event: eventOf(command, world, askedAtMs, sentAtMs), atMs };
}

/** Polls come by the plain rule, as from a worker that has learned nothing. */
export function askedAt(command: Command, nowMs: number): number {
  if (command.kind === 'poll')
    return Math.min(Math.max(nowMs, command.sinceMs + plainPollMs(command.polls)), command.latestAtMs);
  return nowMs + ('inMs' in command ? command.inMs : 0);
}

function eventOf(
  command: Exclude<Command, { kind: 'end' }>,
  world: World,
  atMs: number,
  sentAtMs: number | null,
): Event {
  const { read = stopped, job = succeeded, ownUserId = 'us' } = world;
  switch (command.kind) {
    case 'askServer':
      return {
        kind: 'standing',
        standing: world.standing ?? 'current',
        ...(world.isAfterTimeout === true ? { isAfterTimeout: true } : {}),
      };
    case 'lease':
      return { kind: 'standing', standing: world.lease ?? 'current' };
    case 'reserve':
      return world.reserve ?? { kind: 'reserved' };
    case 'read': {
      const reading = read(atMs, sentAtMs);
      return 'kind' in reading ? reading : { kind: 'reading', reading: { ...reading, observedAtMs: atMs } };
    }
    case 'inspect': {
      const found = job(atMs);
      return found !== null && 'kind' in found ? found : { kind: 'inspected', job: found, ownUserId };
    }
    case 'poll': {
      const found = job(atMs) ?? requestFailed({ failure: 'TargetNotFound', message: 'not found' });
      return 'kind' in found ? found : { kind: 'polled', job: found, askedAtMs: atMs };
    }
    case 'connect':
      return world.connect ?? { kind: 'connected' };
    case 'send':
      return world.post ?? { kind: 'accepted', cloudJobId: 'JOB-1' };
  }
}

/** RUNNING under the baseline's cloud job until something was sent, then STOPPED under ours. */
function stopped(atMs: number, sentAtMs: number | null): Observation {
  const state = sentAtMs === null ? {} : { status: 'STOPPED', lastJobId: 'JOB-1' };
  return anObservation({ observedAtMs: atMs, ...state });
}

function succeeded(): CloudJob {
  return aCloudJob({ status: 'SUCCEEDED' });
}

export function requestFailed(change: Partial<RequestFailed> = {}): RequestFailed {
  return { kind: 'failed', failure: 'Unreachable', message: '503', request: 'unknown', ...change };
}

/** The kinds of an attempt's commands in order, without repetitions. */
export function commandKinds({ commands }: Played): readonly Command['kind'][] {
  const kinds = commands.map(({ command }) => command.kind);
  return kinds.filter((kind, index) => kind !== kinds[index - 1]);
}

export function decisions({ state }: Played): readonly string[] {
  return state.trail.map(({ decision }) => decision);
}

/** A reading without its time. */
export function withoutTime({ observedAtMs: _whenever, ...shown }: Observation): Omit<Observation, 'observedAtMs'> {
  return shown;
}
