/** Parses the input lines of a transcript. transcripts/README.md lists each phrase. */
import { isFailureName } from '../../../../src/domain/failures.js';
import type { CloudJob } from '../../../../src/domain/target/cloud-job.js';
import type { Event, RequestFailed } from '../../../../src/domain/once/events.js';
import type { Observation } from '../../../../src/domain/target/target.js';
import { aCloudJob, anObservation, aTarget } from '../../../support/build.js';
import { parseDuration, parseTime } from './transcript-text.js';

export type Input =
  | {
      readonly kind: 'attempt';
      readonly attempt: number;
      readonly scheduledAtMs: number | null;
      readonly isInResetRun: boolean;
      /** `temporal activity reset --reset-heartbeats` came before it. */
      readonly isAfterClearing: boolean;
    }
  | { readonly kind: 'settle'; readonly isBeforeFirstStep: boolean; readonly clearAtMs: number | null }
  /** `wasReported`: its newest heartbeat reached the server. */
  | { readonly kind: 'killed'; readonly wasReported: boolean }
  /** The newest state reaches the server, but the answer is lost. */
  | { readonly kind: 'reported' }
  /** Temporal's own limit ended the activity: the workflow receives a time-out. */
  | { readonly kind: 'gaveUp' }
  | { readonly kind: 'again'; readonly events: number; readonly untilMs: number }
  | { readonly kind: 'event'; readonly event: Event; readonly isOfOldAttempt: boolean };

const OLD = 'old attempt: ';

/** @param nowMs when it happens */
export function parseInput(text: string, nowMs: number): Input {
  const isOfOldAttempt = text.startsWith(OLD);
  const phrase = isOfOldAttempt ? text.slice(OLD.length) : text;
  return parseTurn(phrase) ?? { kind: 'event', event: parseEvent(phrase, nowMs), isOfOldAttempt };
}

/** Parses phrases that are not events of the machine. @returns `null` for any other phrase */
function parseTurn(text: string): Exclude<Input, { kind: 'event' }> | null {
  const [head = '', ...options] = text.split(', ');
  const attempt = /^attempt (\d+) begins$/.exec(head)?.[1];
  if (attempt !== undefined) {
    const scheduled = optionAfter(options, 'scheduled at ');
    return {
      kind: 'attempt',
      attempt: Number(attempt),
      scheduledAtMs: scheduled === null ? null : parseTime(scheduled),
      isInResetRun: options.includes('in the reset run'),
      isAfterClearing: options.includes('heartbeats cleared'),
    };
  }
  const again = /^the same(?: (\d+) events)?(?: until (\S+))?$/.exec(text);
  if (again !== null) {
    const [, events = '1', until] = again;
    return { kind: 'again', events: Number(events), untilMs: until === undefined ? Infinity : parseTime(until) };
  }
  switch (head) {
    case 'settle begins':
    case 'settle before a first step begins': {
      const clear = optionAfter(options, 'clear at ');
      const clearAtMs = clear === null ? null : parseTime(clear);
      return { kind: 'settle', isBeforeFirstStep: head !== 'settle begins', clearAtMs };
    }
    case 'killed':
      return { kind: 'killed', wasReported: !options.includes('its heartbeat was lost') };
    case 'the server takes its heartbeat':
      return { kind: 'reported' };
    case 'Temporal gives up':
      return { kind: 'gaveUp' };
    default:
      return null;
  }
}

/** Phrases without parameters. */
const EVENTS: Readonly<Record<string, Event>> = {
  heartbeat: { kind: 'heartbeat' },
  reserved: { kind: 'reserved' },
  connected: { kind: 'connected' },
  'time is up': { kind: 'timeUp' },
  'the server answers current': { kind: 'standing', standing: 'current' },
  'the server answers current, after a time-out': { kind: 'standing', standing: 'current', isAfterTimeout: true },
  'the server answers cancelled': { kind: 'standing', standing: 'cancelled' },
  'the server answers superseded': { kind: 'standing', standing: 'superseded' },
  'the server gives no answer': { kind: 'standing', standing: 'unclear' },
  'the server names another attempt': { kind: 'interrupted', by: 'superseded' },
  'an operator cancels': { kind: 'interrupted', by: 'cancel' },
  'the worker stops': { kind: 'interrupted', by: 'stop' },
};

function parseEvent(text: string, nowMs: number): Event {
  const alone = EVENTS[text];
  if (alone !== undefined) return alone;
  const [, verb = '', rest = ''] = /^(reading|inspected|polled|accepted|failed) (.+)$/.exec(text) ?? [];
  switch (verb) {
    case 'reading': {
      const [shown = '', asked] = rest.split(', asked at ');
      return {
        kind: 'reading',
        reading: parseReading(shown, nowMs),
        askedAtMs: asked === undefined ? nowMs : parseTime(asked),
      };
    }
    case 'inspected':
      return parseInspection(rest, nowMs);
    case 'polled':
      return { kind: 'polled', job: parsePoll(rest), askedAtMs: nowMs };
    case 'accepted':
      return { kind: 'accepted', cloudJobId: rest };
    case 'failed':
      return parseFailure(rest);
    default:
      throw new TypeError(`Not a phrase of transcripts/README.md: ${text}`);
  }
}

/** `RUNNING 2/2, J0 SUCCEEDED, version 1.4.1`. */
export function parseReading(text: string, observedAtMs: number): Observation {
  const [state = '', ...options] = text.split(', ');
  const [status = '', replicas] = state.split(' ');
  const [available, wanted] = replicas === undefined ? [null, null] : replicas.split('/').map(Number);
  const [lastJobId = '', lastJobStatus] = (options.find((option) => !option.startsWith('version ')) ?? '').split(' ');
  const isThere = lastJobId !== '' && lastJobId !== 'no';
  return anObservation({
    observedAtMs,
    status,
    version: optionAfter(options, 'version ') ?? '1.4.1',
    replicaCount: wanted ?? null,
    availableReplicaCount: available ?? null,
    lastJobId: isThere ? lastJobId : null,
    lastJobStatus: isThere ? (lastJobStatus ?? null) : null,
  });
}

/** `J1 RUNNING, by us, first task at 0.4s`; by default `by us` and the first task now. */
function parseInspection(text: string, nowMs: number): Event {
  const [head = '', ...options] = text.split(', ');
  const [cloudJobId = '', status = 'RUNNING'] = head.split(' ');
  const ownUserId = options.includes('who we are is not known') ? null : 'us';
  if (options.includes('unknown to the API')) return { kind: 'inspected', job: null, ownUserId };
  const firstTask = optionAfter(options, 'first task at ');
  const [task] = aCloudJob().tasks;
  const createdAtMs = firstTask === null ? nowMs : parseTime(firstTask);
  const job = aCloudJob({
    cloudJobId,
    status,
    createdBy: optionAfter(options, 'by ') ?? 'us',
    instanceId: options.includes('on another instance') ? 'inst-2' : aTarget().instanceId,
    jobType: optionAfter(options, 'type ') ?? 'DAILY_OPERATION',
    tasks: options.includes('no tasks') || task === undefined ? [] : [{ ...task, createdAtMs }],
  });
  return { kind: 'inspected', job, ownUserId };
}

/** `FAILED (no node has room)`. */
function parsePoll(text: string): CloudJob {
  const [, status = '', messages = '{}'] = /^(\S+)(?: \((.+)\))?$/.exec(text) ?? [];
  const tasks = aCloudJob().tasks.map((task) => ({ ...task, status, messages }));
  return aCloudJob({ status, tasks });
}

/** `Unanswered, may have acted, retry after 3s: the answer was lost`; by default the request is proved not to have acted. */
function parseFailure(text: string): RequestFailed {
  const [, facts = '', message = ''] = /^([^:]+): (.+)$/.exec(text) ?? [];
  const [failure = '', ...options] = facts.split(', ');
  if (!isFailureName(failure)) throw new TypeError(`Not a failure: ${failure}`);
  const retryAfter = optionAfter(options, 'retry after ');
  return {
    kind: 'failed',
    failure,
    message,
    request: options.includes('may have acted') ? 'unknown' : options.includes('refused') ? 'refused' : 'no',
    ...(retryAfter === null ? {} : { retryAfterMs: parseDuration(retryAfter) }),
    ...(options.includes('token expired') ? { tokenExpired: true } : {}),
  };
}

function optionAfter(options: readonly string[], words: string): string | null {
  return options.find((option) => option.startsWith(words))?.slice(words.length) ?? null;
}
