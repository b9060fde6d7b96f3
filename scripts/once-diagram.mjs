// The phases of the once machine, and what leads from one to another: found by asking the machine what follows from each event in each state it can get into.
import {
  beginFirst,
  beginFollowing,
  beginSecond,
  beginSettle,
  cloudJob,
  DECISIONS,
  limits,
  next,
  polled,
  reached,
  reading,
  rulesOf,
} from './once-machine.mjs';

const failed = (failure, request = 'no') => ({ kind: 'failed', failure, message: '', request });
const standing = (answer) => ({ kind: 'standing', standing: answer });
const readings = (rules) => [
  ['at rest', rules.before.observation],
  ['as desired', reached(rules)],
  ['moving', reading({ status: 'PENDING' })],
  ['stale', reading({ lastJobId: 'J0' })],
  ['new cloud job', reading({ status: 'PENDING', lastJobId: 'J2', lastJobStatus: 'RUNNING' })],
  ['as desired, by our cloud job', { ...reached(rules), lastJobId: 'J2' }],
  ['not as desired, by our cloud job', reading({ status: 'DOWN', lastJobId: 'J2' })],
  ['another cloud job after ours', reading({ lastJobId: 'J3' })],
  ['deleted', reading({ status: 'DELETED' })],
];
const inspected = (change, ownUserId = 'us') => ({ kind: 'inspected', ownUserId, job: cloudJob('RUNNING', change) });

/** What can be answered to each command, in the words of the diagram. */
const ANSWERS = {
  askServer: () => [
    ['current', standing('current')],
    ['cancelled', standing('cancelled')],
    ['superseded', standing('superseded')],
  ],
  lease: () => [
    ['current', standing('current')],
    ['cancelled', standing('cancelled')],
    ['superseded', standing('superseded')],
    ['no answer', standing('unclear')],
  ],
  reserve: () => [
    ['reserved', { kind: 'reserved' }],
    ['failed', failed('Unreachable')],
  ],
  read: (rules) => [
    ...readings(rules).map(([what, seen]) => [what, { kind: 'reading', reading: seen }]),
    ['failed', failed('Unreachable')],
    ['not found', failed('TargetNotFound')],
  ],
  inspect: () => [
    ['evidence fits', inspected({})],
    ['its creator is not known', inspected({ createdBy: null }, null)],
    ['evidence does not fit', inspected({ createdBy: 'somebody else' })],
    ['no tasks', inspected({ tasks: [] })],
    ['failed', failed('Unreachable')],
  ],
  poll: () => [
    ['runs', polled('RUNNING')],
    ['succeeded', polled('SUCCEEDED')],
    ['failed', polled('FAILED')],
    ['unknown to the API', failed('TargetNotFound')],
    ['not readable', failed('Unreachable')],
  ],
  connect: () => [
    ['connected', { kind: 'connected' }],
    ['failed', failed('Unreachable')],
  ],
  send: () => [
    ['accepted', { kind: 'accepted', cloudJobId: 'J2' }],
    ['proved unsent', failed('Unreachable')],
    ['refused', failed('InvalidStep', 'refused')],
    ['no answer', failed('Unanswered', 'unknown')],
  ],
};

const INTERRUPTIONS = ['cancel', 'stop', 'superseded'].map((by) => [by, { kind: 'interrupted', by }]);

/** At once, after a visibility window, and after every deadline. */
const DELAYS_MS = [0, limits.visibilityWindowMs + 1_000, 1_200_000];

/** @returns every `[from, what happened, to]` that begins in these moments; `to` is a phase or an ending */
function explore(beginnings) {
  const turns = new Map();
  const seen = new Set();
  const open = [...beginnings];
  for (let moment = open.pop(); moment !== undefined; moment = open.pop()) {
    const { step, nowMs, rules } = moment;
    const { state, command } = step;
    const events = [
      ...ANSWERS[command.kind](rules),
      ...('giveUpAtMs' in command ? [['time is up', { kind: 'timeUp' }]] : []),
      ...INTERRUPTIONS.filter(([by]) => !isShielded(state, by)),
    ];
    for (const [what, event] of events)
      for (const delayMs of DELAYS_MS) {
        const thenMs = nowMs + ('inMs' in command ? command.inMs : 0) + delayMs;
        const after = next(state, event, rules, thenMs);
        const { phase } = after.state;
        const turn = [state.phase.name, what, phase.name === 'ended' ? endingName(phase.ending) : phase.name];
        turns.set(turn.join('→'), turn);
        if (phase.name === 'ended') continue;
        const following = { step: { ...after, command: after.command ?? command }, nowMs: thenMs, rules };
        const key = shapeOf(following);
        if (!seen.has(key)) open.push(following);
        seen.add(key);
      }
  }
  return [...turns.values()];
}

/** Settling is cancelled only before a first step, where no cloud job of ours is followed. */
function isShielded({ goal, phase }, by) {
  return goal.kind === 'settle' && by === 'cancel' && phase.name !== 'settling';
}

function endingName(ending) {
  if (ending.kind !== 'failed') return ending.kind;
  return ending.retryInMs === null ? 'failed' : 'tried again';
}

/** What of a state decides what can follow; moments count only as "set", and as over or not. */
function shapeOf({ step: { state, command }, nowMs, rules }) {
  const { phase, goal, sent, sentBefore, interrupted, cloudJob: job, clearAtMs } = state;
  const inPhase = Object.entries(phase).map(
    ([key, value]) =>
      `${key}:${key.endsWith('Ms') ? value !== null : key === 'polls' || key === 'readings' || key === 'failedPolls' ? '' : JSON.stringify(value)}`,
  );
  return [
    rules.action?.action,
    goal.kind,
    sent,
    sentBefore,
    interrupted,
    job?.evidence?.createdByUs,
    nowMs < clearAtMs,
    nowMs < rules.deadlineAtMs,
    command.kind,
    ...inPhase,
  ].join(' ');
}

const decisions = DECISIONS.filter(({ action }) => ['stop', 'restart'].includes(action.action)).map((decision) =>
  rulesOf(decision),
);
const acting = decisions.flatMap((rules) =>
  [beginFirst(rules), beginFirst(rules, limits.lateStartMs + 1), beginSecond(rules)].map((moment) => ({
    ...moment,
    rules,
  })),
);
const following = decisions.map((rules) => ({ ...beginFollowing(rules), rules }));
const settlings = decisions.flatMap((rules) =>
  [beginSettle(rules), beginSettle(rules, { kind: 'succeeded' })].map((moment) => ({ ...moment, rules })),
);

const turnsOfActing = explore([...acting, ...following]);
const turnsOfSettling = explore(settlings);

/** In the order of the protocol. */
const PHASES = [
  'barrier',
  'reserving',
  'observing',
  'connecting',
  'leasing',
  'unleased',
  'sending',
  'confirming',
  'following',
  'lastReading',
  'verifying',
  'settling',
];
/** Why an attempt begins in a phase. */
const BEGINS_IN = {
  barrier: 'it may be superseded',
  reserving: 'a first attempt in time',
  following: 'the cloud job is known',
  settling: 'nothing is sent any more',
};
const ENDINGS = ['succeeded', 'skipped', 'cancelled', 'tried again', 'failed', 'indeterminate', 'superseded'];

/** Which phase can end how. */
export const endingTable = [...endingRows(turnsOfActing, ''), ...endingRows(turnsOfSettling, ', while settling')];

function endingRows(turns, when) {
  const phases = PHASES.filter((phase) => turns.some(([from]) => from === phase));
  return phases.map((phase) => [
    `\`${phase}\`${phase === 'settling' ? '' : when}`,
    ...ENDINGS.map((ending) => (turns.some(([from, , to]) => from === phase && to === ending) ? 'yes' : '')),
  ]);
}

export const endingHead = ['phase', ...ENDINGS];

/** The phases of an attempt that acts, and what leads from one to another; its ends are a table of their own. */
export const actingDiagram = diagram(turnsOfActing, [...acting, ...following]);
export const settlingDiagram = diagram(turnsOfSettling, settlings);

function diagram(turns, beginnings) {
  const firstPhases = new Set(beginnings.map(({ step }) => step.state.phase.name));
  const edges = new Map([...firstPhases].map((name) => [`[*] --> ${name}`, [BEGINS_IN[name]]]));
  const ordered = PHASES.flatMap((phase) => turns.filter(([from]) => from === phase));
  for (const [from, what, to] of ordered) {
    if (from === to || ENDINGS.includes(to)) continue;
    const edge = `${from} --> ${to}`;
    edges.set(edge, [...(edges.get(edge) ?? []), what]);
  }
  const lines = [...edges].map(([edge, words]) => `  ${edge}: ${words.join(' / ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}
