/** Checks the argument of the update `decide`. Written by hand, because zod does not belong in workflow code; the gateway has already checked every value. */
import { MOST_ALARMS_AT_ONCE } from './alarm.js';
import { MOST_RUNS } from './alarm-rule-state.js';
import { jsonBytes } from '../text/json-bytes.js';

/** The longest values that a rule takes, in bytes of JSON in UTF-8. With the bounds of the state they keep it below the size of a payload. */
export const LONGEST = { id: 250, name: 700, target: 420, line: 1_000, start: 2_000 };

type Check = (value: unknown) => string | null;

/** @returns the first problem in words, or `null` when the request can be decided */
export function requestProblem(request: unknown, rule: string): string | null {
  if (!isObject(request)) return 'the request must be an object: { rule, brakes, alarms }';
  if (request['rule'] !== rule) return `this workflow decides for the rule ${rule}, not ${shown(request['rule'])}`;
  const { alarms, notes = [] } = request;
  return (
    objectProblem('brakes', BRAKES)(request['brakes']) ??
    listProblem('notes', notes, NOTE, 0) ??
    listProblem('alarms', alarms, ALARM, Array.isArray(notes) && notes.length > 0 ? 0 : 1)
  );
}

function listProblem(place: string, items: unknown, checks: typeof ALARM, fewest: number): string | null {
  if (!Array.isArray(items) || items.length < fewest || items.length > MOST_ALARMS_AT_ONCE)
    return `${place}: ${fewest} to ${MOST_ALARMS_AT_ONCE} of them`;
  const problems = items.map((item, index) => objectProblem(`${place}.${index}`, checks)(item));
  return problems.find((problem) => problem !== null) ?? null;
}

const text =
  (longest: number): Check =>
  (value) =>
    typeof value === 'string' && jsonBytes(value) <= longest ? null : `text of at most ${longest} bytes`;
const time: Check = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? null : 'milliseconds';
const count: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_RUNS ? null : `1 to ${MOST_RUNS}`;
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(String(value)) ? null : values.join(' or ');
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value);
const nullable =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value);

const START: Readonly<Record<string, Check>> = {
  runbook: (value) => (value === '' ? 'the name of a runbook' : text(LONGEST.id)(value)),
  target: text(LONGEST.target),
  arguments: (value) => (isObject(value) ? null : 'an object'),
};

const ALARM: Readonly<Record<string, Check>> = {
  sender: text(LONGEST.id),
  name: text(LONGEST.name),
  status: oneOf('firing', 'resolved'),
  episode: text(LONGEST.id),
  episodeHash: (value) => (/^[0-9a-f]{64}$/.test(String(value)) ? null : '64 hex digits'),
  incident: text(LONGEST.id),
  atMs: time,
  receivedAtMs: time,
  saidAtMs: optional(time),
  summary: text(LONGEST.line),
  start: (value) => {
    if (!isObject(value)) return 'an object';
    if ('problem' in value) return text(LONGEST.line)(value['problem']);
    if (jsonBytes(value) > LONGEST.start) return `at most ${LONGEST.start} bytes of JSON`;
    return objectProblem('start', START)(value);
  },
  onlyIfKnown: optional((value) => (typeof value === 'boolean' ? null : 'true or false')),
};

const NOTE: Readonly<Record<string, Check>> = {
  sender: text(LONGEST.id),
  text: text(LONGEST.line),
  receivedAtMs: time,
};

const AT_MOST: Readonly<Record<string, Check>> = { runs: count, withinMs: time };

const BRAKES: Readonly<Record<string, Check>> = {
  debounceMs: time,
  coolDownMs: time,
  atMost: nullable((value) => objectProblem('atMost', AT_MOST)(value)),
  atOnce: nullable(count),
  onResolved: oneOf('nothing', 'withdraw'),
};

function objectProblem(place: string, checks: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (!isObject(value)) return `${place}: an object is expected, not ${shown(value)}`;
    for (const [key, check] of Object.entries(checks)) {
      const problem = check(value[key]);
      if (problem !== null) return `${place}.${key}: ${problem} is expected, not ${shown(value[key])}`;
    }
    return null;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}
