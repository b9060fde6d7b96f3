// Drives the once machine through situations, so that the tables and the diagrams of docs/once-machine.md say what it does.
const load = (path) => import(new URL(`../dist/domain/${path}`, import.meta.url).href);
const [
  { beginActing, beginSettling, next },
  { DEFAULT_LIMITS, unseenAttemptMs, withHeartbeatTimeout },
  { ACTIONS },
  { endedAs, nothingKnown },
] = await Promise.all([load('once/next.js'), load('once/limits.js'), load('target/actions.js'), load('once/state.js')]);

export { next };
export const limits = withHeartbeatTimeout(DEFAULT_LIMITS);
/** A full hour, so that no rule can take a time for "none". */
const BEGINS_AT_MS = 3_600_000;

const target = {
  path: 'shop/checkout/prod-1',
  projectId: 'project',
  applicationId: 'application',
  componentId: 'component',
  instanceId: 'instance',
  platformType: 'cce',
};

/** One of each action, with a baseline at rest in which its desired state does not hold. */
export const DECISIONS = Object.keys(ACTIONS).map((name) => {
  const parameters = { scale: { replica: 4 }, rollback: { version: '1.4.0' } };
  return {
    action: { action: name, ...parameters[name] },
    kind: ACTIONS[name].kind,
    before: reading({ status: name === 'start' ? 'STOPPED' : 'RUNNING' }),
  };
});

export function reading(change = {}) {
  return {
    observedAtMs: BEGINS_AT_MS - 1_000,
    status: 'RUNNING',
    version: '1.4.1',
    replicaCount: 2,
    availableReplicaCount: 2,
    hosts: null,
    lastJobId: 'J1',
    lastJobStatus: 'SUCCEEDED',
    failDetail: null,
    ...change,
  };
}

/** What the instance looks like when the action has succeeded. */
export function reached({ action, before }) {
  return ACTIONS[action.action].reaches(action, before.observation);
}

export function cloudJob(status, change = {}) {
  const task = { taskId: 't', name: 'task', status, messages: '{}', createdAtMs: BEGINS_AT_MS };
  return {
    cloudJobId: 'J2',
    status,
    jobType: 'DAILY_OPERATION',
    instanceId: target.instanceId,
    createdBy: 'us',
    tasks: [task],
    ...change,
  };
}

/** Nothing follows from when a poll was asked. */
export function polled(status) {
  return { kind: 'polled', job: cloudJob(status), askedAtMs: BEGINS_AT_MS };
}

/** `J0` is older than the baseline `J1`; ours will be `J2`. */
export function rulesOf({ action, before }, change = {}) {
  return {
    action,
    target,
    before: { observation: before, lastJobId: 'J1', knownCloudJobIds: ['J0', 'J1'] },
    deadlineAtMs: BEGINS_AT_MS + 600_000,
    verify: { withinMs: 60_000, stableMs: 2_000 },
    verifyAfterCancel: true,
    limits,
    ...change,
  };
}

const FACTS = { runId: 'run', decidedInRunId: 'run', scheduledAtMs: BEGINS_AT_MS };

/** The first attempt: nothing was sent before it. It begins `delayMs` after it was scheduled. */
export function beginFirst(rules, delayMs = 0) {
  const nowMs = BEGINS_AT_MS + delayMs;
  return { step: beginActing(rules, { ...FACTS, attempt: 1, attemptScheduledAtMs: BEGINS_AT_MS }, null, nowMs), nowMs };
}

/** The attempt after one that was lost with its send lease: something may have been sent before it. */
export function beginSecond(rules) {
  const isLeasing = ({ state }) => state.phase.name === 'leasing';
  const previous = play(beginFirst(rules), rules, CALM, isLeasing).at(-1).step.state;
  return beginAfter(previous, rules, previous.atMs + limits.heartbeatTimeoutMs);
}

/** The attempt after one that was lost while it followed the cloud job. */
export function beginFollowing(rules) {
  const isFollowing = ({ state }) => state.phase.name === 'following';
  const previous = play(beginFirst(rules), rules, CALM, isFollowing).at(-1).step.state;
  return beginAfter(previous, rules, previous.atMs + limits.heartbeatTimeoutMs);
}

function beginAfter(previous, rules, nowMs) {
  const facts = { ...FACTS, attempt: previous.attempt + 1, attemptScheduledAtMs: nowMs };
  return { step: beginActing(rules, facts, previous, nowMs), nowMs };
}

/** The attempt after one that ended to be tried again. */
export function beginAgain({ step: { state } }, rules) {
  return beginAfter(state, rules, state.atMs + state.phase.ending.retryInMs);
}

/** Settles a step whose attempts were lost. */
export function beginSettle(rules, prior = { kind: 'failed', failure: 'Unanswered', message: '', retryInMs: null }) {
  const nowMs = BEGINS_AT_MS + 600_000;
  const clearAtMs = nowMs + unseenAttemptMs(limits);
  const known = nothingKnown('unknown', { nowMs, clearAtMs, decidedAtMs: BEGINS_AT_MS });
  return { step: beginSettling(rules, endedAs(known, prior), prior, nowMs), nowMs };
}

/** What is answered where nothing goes wrong, by command; each is given the decision and the newest cloud job that is known. */
export const CALM = {
  askServer: () => ({ kind: 'standing', standing: 'current' }),
  reserve: () => ({ kind: 'reserved' }),
  read: ({ rules, state }) => ({
    kind: 'reading',
    reading: state.cloudJob === null ? rules.before.observation : { ...reached(rules), lastJobId: 'J2' },
  }),
  inspect: () => ({ kind: 'inspected', job: cloudJob('RUNNING'), ownUserId: 'us' }),
  poll: () => polled('SUCCEEDED'),
  connect: () => ({ kind: 'connected' }),
  lease: () => ({ kind: 'standing', standing: 'current' }),
  send: () => ({ kind: 'accepted', cloudJobId: 'J2' }),
};

/** The event; if it is a reading, with the time at which it was asked for. */
export function askedAt(event, askedAtMs) {
  return event.kind === 'reading' ? { ...event, askedAtMs } : event;
}

/**
 * Answers each command at once, polls too, with heartbeats that reach the server, until the attempt ends or `isOver`.
 *
 * @param answers by command; each is given the decision and the state
 * @returns the moments passed, the last one included
 */
export function play(moment, rules, answers, isOver = () => false) {
  const moments = [moment];
  for (let { step, nowMs } = moment; step.command?.kind !== 'end' && !isOver(step);) {
    const { kind, inMs = 0 } = step.command;
    nowMs += inMs;
    step = { ...next(step.state, { kind: 'heartbeat' }, rules, nowMs), command: step.command };
    const event = askedAt(answers[kind]({ rules, state: step.state }), nowMs);
    step = next(step.state, event, rules, nowMs);
    moments.push({ step, nowMs, event });
    if (moments.length > 2_000) throw new Error(`It does not end: ${step.state.phase.name}`);
  }
  return moments;
}
