// The tables of docs/once-machine.md that show what the once machine does, made by driving it.
import {
  beginAgain,
  beginFirst,
  beginSecond,
  beginSettle,
  CALM,
  cloudJob,
  DECISIONS,
  limits,
  next,
  polled,
  play,
  reached,
  reading,
  rulesOf,
} from './once-machine.mjs';

const BEFORE = { first: beginFirst, second: beginSecond };
const code = (text) => `\`${text}\``;
const seconds = (ms) => `${Math.round(ms / 1_000)} s`;

/** Readings before a send, and what an inspection of a new cloud job shows. */
const READINGS = [
  ['an older known cloud job', { read: () => reading({ lastJobId: 'J0' }) }],
  ['the baseline, moving', { read: () => reading({ status: 'PENDING', lastJobStatus: 'RUNNING' }) }],
  ['the baseline, at rest, the desired state does not hold', { read: (rules) => rules.before.observation }],
  ['the baseline, at rest, the desired state holds', { read: (rules) => reached(rules) }],
  ['a new cloud job, the evidence fits', newJob({})],
  ['a new cloud job, the evidence does not fit', newJob({ createdBy: 'somebody else' })],
  ['a new cloud job that shows no tasks', newJob({ tasks: [] })],
  ['deleted', { read: () => reading({ status: 'DELETED' }) }],
];

function newJob(change) {
  return {
    read: () => reading({ status: 'PENDING', lastJobId: 'J2', lastJobStatus: 'RUNNING' }),
    inspect: () => ({ kind: 'inspected', ownUserId: 'us', job: cloudJob('RUNNING', change) }),
  };
}

function answersOf({ read, ...others }) {
  return { ...CALM, ...others, read: ({ rules }) => ({ kind: 'reading', reading: read(rules) }) };
}

/** What each reading leads to, where it stays as it is. */
export const entryTable = READINGS.map(([what, situation]) => [
  what,
  ...Object.values(BEFORE).map((begin) => perAction((decision) => afterReading(decision, begin, answersOf(situation)))),
]);

function afterReading(decision, begin, answers) {
  const rules = rulesOf(decision);
  const isOver = ({ state }) => ['connecting', 'following'].includes(state.phase.name);
  const moments = play(begin(rules), rules, answers, isOver);
  const waited = isWaiting(moments.at(-1)) ? lastOfWaiting(moments.at(-1), rules, answers, isOver) : null;
  if (waited !== null) return `once nothing that was sent can appear any more: ${describeEnd(waited)}`;
  return describeTail(moments, 'observing');
}

/** Does it end only because something that was sent may still appear? */
function isWaiting({ step: { state } }) {
  const { ending } = state.phase;
  return state.sent === 'unknown' && ending?.failure === 'Unanswered' && ending.retryInMs !== null;
}

/** Attempt after attempt, until one does not wait. */
function lastOfWaiting(first, rules, answers, isOver) {
  let last = first;
  while (isWaiting(last)) last = play(beginAgain(last, rules), rules, answers, isOver).at(-1);
  return last;
}

/** The readings of the phase `name` in a row, then what came of them. */
function describeTail(moments, name) {
  const last = moments.at(-1);
  const first = moments.findIndex(({ step }) => step.state.phase.name === name);
  const readForMs = last.nowMs - moments[first].nowMs;
  return `${readForMs > 0 ? `read on for ${seconds(readForMs)}, then ` : ''}${describeEnd(last)}`;
}

function describeEnd({ step: { state } }) {
  const { phase } = state;
  if (phase.name === 'connecting') return '**send**';
  if (phase.name === 'following') return state.cloudJob.evidence === undefined ? 'follow' : 'adopt and follow';
  const { ending } = phase;
  const sent =
    state.sent === 'no' ? ', unsent' : state.sent === state.sentBefore ? '' : `, ${code(`sent: ${state.sent}`)}`;
  switch (ending.kind) {
    case 'succeeded':
      return `done, ${code(`sent: ${state.sent}`)}`;
    case 'failed': {
      if (ending.retryInMs === null) return `${code(ending.failure)}${sent}`;
      return `${code(ending.failure)}${sent}, tried again ${ending.retryInMs === 1 ? 'at once' : `in ${seconds(ending.retryInMs)}`}`;
    }
    case 'indeterminate':
      return code(ending.failure);
    case 'superseded':
      return 'leaves without a report';
    default:
      return `${ending.kind}${sent}`;
  }
}

/** One text where all actions agree, else by action. */
function perAction(describe) {
  const texts = new Map();
  for (const decision of DECISIONS) {
    const text = describe(decision);
    texts.set(text, [...(texts.get(text) ?? []), decision.action.action]);
  }
  if (texts.size === 1) return [...texts.keys()][0];
  return [...texts].map(([text, names]) => `${code(names.join(' '))}: ${text}`).join('. ');
}

const failed = (failure, request, more = {}) => ({ kind: 'failed', failure, message: '', request, ...more });
const nothingShows = { read: (rules) => rules.before.observation };

/** Answers to a POST, and what shows after it. */
const ANSWERS = [
  ['2xx with a cloud job', { send: () => ({ kind: 'accepted', cloudJobId: 'J2' }) }],
  ['no connection', { ...nothingShows, connect: () => failed('Unreachable', 'no') }],
  [
    'proved that it was not passed on (gateway rejection)',
    { ...nothingShows, send: () => failed('Unreachable', 'no') },
  ],
  ['429 with `Retry-After: 7`', { ...nothingShows, send: () => failed('Throttled', 'no', { retryAfterMs: 7_000 }) }],
  ['401, the token had expired', { ...nothingShows, send: () => failed('Unreachable', 'no', { tokenExpired: true }) }],
  ['400 or 422 from ServiceStage', { ...nothingShows, send: () => failed('InvalidStep', 'refused') }],
  ['409 from ServiceStage', { ...nothingShows, send: () => failed('TargetBusy', 'refused') }],
  [
    'none, or one that cannot be read; no cloud job shows',
    { ...nothingShows, send: () => failed('Unanswered', 'unknown') },
  ],
  [
    'none; a cloud job shows and the evidence fits',
    { ...showsAfterSend({}), send: () => failed('Unanswered', 'unknown') },
  ],
  [
    'none; a cloud job shows and the evidence does not fit',
    { ...showsAfterSend({ createdBy: 'somebody else' }), send: () => failed('Unanswered', 'unknown') },
  ],
];

function showsAfterSend(change) {
  const { read, inspect } = newJob(change);
  return {
    read: (rules, state) => (state.phase.name === 'confirming' ? read(rules) : rules.before.observation),
    inspect,
  };
}

/** What each answer leads to. */
export const answerTable = ANSWERS.map(([what, { read = nothingShows.read, ...situation }]) => [
  what,
  ...Object.values(BEFORE).map((begin) =>
    afterAnswer(begin, {
      ...CALM,
      ...situation,
      read: ({ rules, state }) => ({ kind: 'reading', reading: read(rules, state) }),
    }),
  ),
]);

function afterAnswer(begin, answers) {
  // Every action is sent a first time; only one that names an end state is sent a second time.
  const rules = rulesOf(DECISIONS.find(({ kind }) => kind === 'state'));
  const isConnecting = ({ state }) => state.phase.name === 'connecting';
  const read = play(begin(rules), rules, CALM, isConnecting).at(-1);
  const connecting = isWaiting(read) ? lastOfWaiting(read, rules, CALM, isConnecting) : read;
  const moments = play(connecting, rules, answers, ({ state }) => state.phase.name === 'following');
  const isConfirmed = moments.some(({ step }) => step.state.phase.name === 'confirming');
  return isConfirmed ? describeTail(moments, 'confirming') : describeEnd(moments.at(-1));
}

const LOST_ANSWER = {
  ...CALM,
  ...newJob({}),
  send: () => failed('Unanswered', 'unknown'),
  read: ({ rules, state }) => ({
    kind: 'reading',
    reading: state.phase.name === 'confirming' ? newJob({}).read() : CALM.read({ rules, state }).reading,
  }),
};
const NO_LEASE = { ...CALM, lease: () => ({ kind: 'standing', standing: 'unclear' }) };
const FAILED_JOB = { ...CALM, poll: () => polled('FAILED') };

/** How an attempt gets into each phase, and how it continues if nothing fails. */
const WAYS = [
  ['barrier', CALM, (rules) => beginFirst(rules, limits.lateStartMs + 1)],
  ...['reserving', 'observing', 'connecting', 'leasing'].map((name) => [name, CALM, beginFirst]),
  ['unleased', NO_LEASE, beginFirst],
  ['sending', CALM, beginFirst],
  ['confirming', LOST_ANSWER, beginFirst],
  ['following', CALM, beginFirst],
  ['lastReading', FAILED_JOB, beginFirst],
  ['verifying', CALM, beginFirst],
  ['settling', CALM, beginSettle],
];

/** What an interruption means in each phase. */
export const interruptionTable = WAYS.map(([name, answers, begin]) => [
  code(name),
  ...['cancel', 'stop', 'superseded'].map((by) =>
    name === 'settling' && by === 'cancel'
      ? 'not asked: it is shielded, except before a first step'
      : afterInterruption(name, answers, begin, by),
  ),
]);

function afterInterruption(name, answers, begin, by) {
  const rules = rulesOf(DECISIONS.find(({ action }) => action.action === 'stop'));
  const { step, nowMs } = play(begin(rules), rules, answers, ({ state }) => state.phase.name === name).at(-1);
  const after = next(step.state, { kind: 'interrupted', by }, rules, nowMs);
  if (after.command !== null) return `ends: ${describeEnd({ step: after })}`;
  const moments = play({ step: { ...after, command: step.command }, nowMs }, rules, answers);
  return `continues: ${describeEnd(moments.at(-1))}`;
}
