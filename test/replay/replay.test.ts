/**
 * Histories of released versions replay with today's code; a damaged one is rejected; none is ever changed; none holds
 * a secret.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { OnCancel, OnFailure, PlannedCompensation } from '../../src/domain/plan/plan.js';
import {
  OUTCOMES,
  type ApprovalReport,
  type Outcome,
  type RemainingEffect,
  type StepResult,
} from '../../src/domain/report/report.js';
import {
  APPROVAL_COMMANDS,
  RUN_COMMANDS,
  TARGET_COMMANDS,
  type CommandName,
} from '../../src/domain/steering/command-names.js';
import { RUN_EVENTS } from '../../src/domain/notifications/events.js';
import { textOfHistory } from '../support/history-text.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';
import { unobserved } from '../support/unobserved.js';
import {
  digestOf,
  goldenName,
  goldenNames,
  MANIFEST,
  outcomeIn,
  readGolden,
  readManifest,
  reportIn,
  targetReportIn,
  type RecordedHistory,
} from './golden-files.js';
import { TURNS } from './turns.js';

const names = await goldenNames();
const histories = new Map(await Promise.all(names.map(async (name) => [name, await readGolden(name)] as const)));
const workflowBundle = { codePath: inject('workflowBundlePath') };

/** Name → why it does not replay. One worker for all, since a worker takes longer to come up than to replay. */
const replayed = new Map<string, Error | undefined>();

beforeAll(async () => {
  installQuietRuntime();
  const waiting = names.values();
  const replaying = Worker.runReplayHistories(
    { workflowBundle, sinks: unobserved },
    [...histories.values()].map(toReplay),
  );
  // One after another, in the order in which they are given.
  for await (const { error } of replaying) replayed.set(waiting.next().value ?? '', error);
});

function toReplay(history: RecordedHistory) {
  // A target's workflow checks that its id is the lease of its target.
  const workflowId = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
  return { workflowId, history: historyFromJSON(history) };
}

async function replay(damaged: RecordedHistory): Promise<void> {
  const { workflowId, history } = toReplay(damaged);
  await Worker.runReplayHistory({ workflowBundle, sinks: unobserved }, history, workflowId);
}

/** Outcomes that no run of this version can end with. May only shrink. */
const UNREACHABLE: Partial<Record<Outcome, string>> = {};

/** Every alternative of a union, by a table that will not compile while one is missing. */
const membersOf = <Member extends string>(table: Record<Member, true>) => Object.keys(table) as Member[];
const STEP_RESULTS = membersOf<StepResult>({
  succeeded: true,
  skipped: true,
  failed: true,
  indeterminate: true,
  cancelled: true,
});
const REMAINING_KINDS = membersOf<RemainingEffect['kind']>({ irreversible: true, declaredNone: true, notUndone: true });
const ON_FAILURE = membersOf<OnFailure>({ compensate: true, abort: true, continue: true, pause: true });
const ON_CANCEL = membersOf<OnCancel>({ compensate: true, 'stop-after-step': true, leave: true });
const COMPENSATIONS = membersOf<PlannedCompensation['kind']>({
  default: true,
  none: true,
  irreversible: true,
  action: true,
});

const COMMANDS: readonly CommandName[] = [...RUN_COMMANDS, ...APPROVAL_COMMANDS, ...TARGET_COMMANDS];
const APPROVAL_RESULTS = membersOf<ApprovalReport['result']>({
  approved: true,
  rejected: true,
  expired: true,
  cancelled: true,
});

const all = [...histories.values()];
const targetReports = all.flatMap((history) => targetReportIn(history) ?? []);
const texts = all.map(textOfHistory);

describe('a recorded history', () => {
  it.each(OUTCOMES.filter((outcome) => UNREACHABLE[outcome] === undefined))(
    'is there for a run that ends %s',
    (outcome) => {
      expect(all.map(outcomeIn)).toContain(outcome);
    },
  );

  it.each(Object.keys(UNREACHABLE))('is missing for %s, because no run of this version ends with it', (outcome) => {
    expect(all.map(outcomeIn)).not.toContain(outcome);
  });

  it.each(TURNS.map((turn) => [goldenName(turn, 'run'), turn] as const))('is there for each turn: %s', (name, turn) => {
    const history = histories.get(name);
    expect(history, `${name} is missing: npm run record`).toBeDefined();
    expect(history === undefined ? undefined : outcomeIn(history)).toBe(turn.outcome);
  });

  it.each(STEP_RESULTS)('is there for a step that is %s', (result) => {
    const steps = targetReports.flatMap((report) => [...report.steps, ...report.compensations]);
    expect(steps.map((step) => step.result)).toContain(result);
  });

  it.each(REMAINING_KINDS)('is there for an effect that remains: %s', (kind) => {
    expect(targetReports.flatMap(({ remaining }) => remaining.map((effect) => effect.kind))).toContain(kind);
  });

  it.each(COMMANDS)('is there for a command that was accepted: %s', (name) => {
    const commands = all.flatMap((history) => reportIn(history)?.commands ?? []);
    const decisions = targetReports.flatMap(({ steps }) => steps.flatMap((step) => step.decisions ?? []));
    expect([...commands, ...decisions].map(({ command }) => command)).toContain(name);
  });

  it.each(APPROVAL_RESULTS)('is there for the approval of a run, and of a step, that is %s', (result) => {
    const ofRuns = all.flatMap((history) => reportIn(history)?.approval ?? []);
    const ofSteps = targetReports.flatMap(({ steps }) => steps.flatMap(({ approval }) => approval ?? []));
    expect(ofRuns.map((approval) => approval.result)).toContain(result);
    expect(ofSteps.map((approval) => approval.result)).toContain(result);
  });

  it.each(RUN_EVENTS)('is there for a webhook that is notified of %s', (event) => {
    expect(all.flatMap((history) => reportIn(history)?.notifications ?? []).map((sent) => sent.event)).toContain(event);
  });

  it('is there for a run that resumes another', () => {
    expect(all.map((history) => reportIn(history)?.resumes).filter((resumed) => resumed !== undefined)).not.toEqual([]);
  });

  it.each([
    ...ON_FAILURE.map((value) => `"onFailure":"${value}"`),
    ...ON_CANCEL.map((value) => `"onCancel":"${value}"`),
    ...COMPENSATIONS.map((value) => `"compensation":{"kind":"${value}"`),
  ])('is there for a plan with %s', (text) => {
    expect(texts.some((history) => history.includes(text))).toBe(true);
  });

  it.each(names)('%s replays', (name) => {
    expect(replayed.has(name)).toBe(true);
    expect(replayed.get(name)).toBeUndefined();
  });

  it('holds no secret', () => {
    for (const text of texts)
      for (const secret of ['simulated-secret', 'simulated-password', 'Signature=', 'X-Auth-Token', 'MIIsimulated'])
        expect(text.includes(secret)).toBe(false);
  });
});

type Events = RecordedHistory['events'];

/** The first event that holds these attributes; a history without it cannot be damaged in that way. */
function indexOf(events: Events, attributes: keyof Events[number]): number {
  const index = events.findIndex((event) => event[attributes] !== undefined);
  if (index < 0) throw new Error(`The history has no ${attributes}`);
  return index;
}

function activity(events: Events, name: string): { name: string } {
  const found = events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType ?? []);
  const type = found.find((each) => each.name === name);
  if (type === undefined) throw new Error(`The history has no ${name}`);
  return type;
}

/** Later events keep their numbers in a row, so that only what was taken out is missing, not the numbering. */
function renumbered(events: Events): Events {
  return events.map((event, index) => ({ ...event, eventId: String(index + 1) }));
}

const DAMAGES: readonly [what: string, golden: string, damage: (events: Events) => Events][] = [
  [
    'the type of an activity is another one',
    'recover-succeeded.target.v1.json',
    (events) => {
      activity(events, 'performAction').name = 'settleTarget';
      return events;
    },
  ],
  [
    'the name of an activity was changed',
    'recover-succeeded.run.v1.json',
    (events) => {
      activity(events, 'makePlan').name = 'makeThePlan';
      return events;
    },
  ],
  [
    'the types of two activities are swapped',
    'stop-foreignCloudJobFirst.target.v1.json',
    (events) => {
      const [settle, perform] = [activity(events, 'settleTarget'), activity(events, 'performAction')];
      [settle.name, perform.name] = [perform.name, settle.name];
      return events;
    },
  ],
  [
    'the event that schedules a step is missing',
    'recover-succeeded.target.v1.json',
    (events) => renumbered(events.toSpliced(indexOf(events, 'activityTaskScheduledEventAttributes'), 1)),
  ],
  [
    'the event that starts the child is missing',
    'recover-succeeded.run.v1.json',
    (events) =>
      renumbered(events.filter(({ eventType }) => eventType !== 'EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED')),
  ],
  [
    'the memo with the report was never written',
    'recover-succeeded.run.v1.json',
    (events) => renumbered(events.toSpliced(indexOf(events, 'workflowPropertiesModifiedEventAttributes'), 1)),
  ],
  [
    'a timer is in the place of a step',
    'short-deadline-waited.target.v1.json',
    (events) => {
      const [step, timer] = [
        indexOf(events, 'activityTaskScheduledEventAttributes'),
        indexOf(events, 'timerStartedEventAttributes'),
      ];
      return renumbered(events.with(step, events[timer] as Events[number]).with(timer, events[step] as Events[number]));
    },
  ],
  [
    'the end comes before the memo',
    'recover-succeeded.run.v1.json',
    (events) => {
      const memo = indexOf(events, 'workflowPropertiesModifiedEventAttributes');
      const attributes = memo + 1;
      return renumbered(
        events.with(memo, events[attributes] as Events[number]).with(attributes, events[memo] as Events[number]),
      );
    },
  ],
  [
    'the lease is taken by a workflow of another type',
    'recover-succeeded.target.v1.json',
    (events) => {
      const started = events[0]?.workflowExecutionStartedEventAttributes;
      if (started !== undefined) started.workflowType.name = 'recover';
      return events;
    },
  ],
];

describe('a damaged history is rejected', () => {
  it.each(DAMAGES)('where %s (%s)', async (_what, golden, damage) => {
    const { events } = await readGolden(golden);
    await expect(replay({ events: damage(events) })).rejects.toThrow(
      /[Nn]ondeterminism|DeterminismViolation|[Hh]istory/,
    );
  });
});

describe('a golden is kept for ever', () => {
  it('by its digest: it is listed, and is as it was recorded', async () => {
    const digests = new Map(await Promise.all(names.map(async (name) => [name, await digestOf(name)] as const)));
    expect(Object.fromEntries(digests)).toEqual(Object.fromEntries(await readManifest()));
  });

  it('by a list from which no line was ever removed or changed', async () => {
    // Only git knows what the list once held. Outside of a clone (an unpacked archive) there is nothing to compare
    // with.
    const removed = await removedLines().catch(() => []);
    expect(removed).toEqual([]);
  });
});

/** Lines with a digest that any commit, or the work tree, removed from the list. */
async function removedLines(): Promise<string[]> {
  const path = fileURLToPath(MANIFEST);
  const run = promisify(execFile);
  const options = { cwd: fileURLToPath(new URL('.', import.meta.url)), maxBuffer: 64 * 1024 * 1024 };
  const log = await run('git', ['log', '--format=', '--patch', '--unified=0', '--no-renames', '--', path], options);
  const diff = await run('git', ['diff', 'HEAD', '--unified=0', '--no-renames', '--', path], options);
  return `${log.stdout}\n${diff.stdout}`.split('\n').filter((line) => /^-[0-9a-f]{64} {2}/.test(line));
}
