/** Turns in which people take part: approvals, commands, decisions about blocked steps, runs that resume, and who is notified. */
import { RunbookClient } from '../../src/client/runbook-client.js';
import { DEFAULT_TASK_QUEUE, PROGRESS_QUERY } from '../../src/domain/contract.js';
import type { ApprovalProgress, RunProgress, TargetProgress } from '../../src/domain/report/progress.js';
import type { CommandName } from '../../src/domain/steering/command-names.js';
import type { Notifier } from '../../src/notifications/notifier.js';
import { approversOf, newSigner, type Signer } from '../support/signer.js';
import { until, untilFound } from '../support/until.js';
import {
  actions,
  alone,
  isBlocked,
  isPaused,
  isWaiting,
  lease,
  order,
  restartFails,
  type Instance,
  type Stage,
  type Turn,
} from './turn.js';

type Meanwhile = (stage: Stage, instance: Instance, workflowId: string) => Promise<unknown>;

const progressOf = ({ client }: Stage, workflowId: string) =>
  client.workflow.getHandle(workflowId).query<RunProgress>(PROGRESS_QUERY);

/** @param step `null`: the approval of the run */
function asked(stage: Stage, workflowId: string, step: string | null): Promise<ApprovalProgress> {
  return untilFound(async () => {
    const { approval, targets } = await progressOf(stage, workflowId).catch(() => ({
      approval: undefined,
      targets: [],
    }));
    const open = approval ?? targets[0]?.approval;
    return open?.step === step ? open : null;
  });
}

/** Waits until it is asked for, then each of these people decides. */
function decided(command: 'approve' | 'reject', step: string | null, ...actors: readonly string[]): Meanwhile {
  return async (stage, _instance, workflowId) => {
    await asked(stage, workflowId, step);
    const { planHash } = await progressOf(stage, workflowId);
    for (const actor of actors) await order(stage, workflowId, command, { actor, planHash });
  };
}

function commanded(...commands: readonly CommandName[]): Meanwhile {
  return async (stage, _instance, workflowId) => {
    for (const command of commands) await order(stage, workflowId, command);
  };
}

/** A decision about the blocked step, once it is blocked. */
function onceBlocked(...commands: readonly CommandName[]): Meanwhile {
  return async (stage, instance) => {
    for (const command of commands) {
      await isBlocked(stage, instance);
      await order(stage, lease(stage, instance), command);
    }
  };
}

function onceAsked(step: string | null, ...then: readonly Meanwhile[]): Meanwhile {
  return inTurn((stage, _instance, workflowId) => asked(stage, workflowId, step), ...then);
}

const onceActed: Meanwhile = (stage, instance) => actions(stage, instance, 1);
const oncePaused: Meanwhile = (stage, _instance, workflowId) => isPaused(stage, workflowId);

function inTurn(...parts: readonly Meanwhile[]): Meanwhile {
  return async (stage, instance, workflowId) => {
    for (const part of parts) await part(stage, instance, workflowId);
  };
}

/** The run waits for its window. */
const opensIn = (ms: number) => () => ({
  window: { duration: '1h', opensAt: new Date(Date.now() + ms).toISOString() },
  waitAtMost: '1m',
});

const fails =
  (action: string) =>
  (stage: Stage, { instanceId }: Instance) =>
    stage.stack.control.outcome({ instanceId, action, executionStatus: 'FAILED', durationMs: 300 });
const takesASecond =
  (action: string) =>
  (stage: Stage, { instanceId }: Instance) =>
    stage.stack.control.outcome({ instanceId, action, durationMs: 1_000 });
/** The connection breaks before ServiceStage acts. */
const isNotAnswered =
  (action: string) =>
  (stage: Stage, { instanceId }: Instance) =>
    stage.stack.control.fault({ on: { instanceId, route: 'action', action }, fault: { kind: 'reset' } });

let signing: Promise<Signer> | null = null;
const signer = () => (signing ??= newSigner());
const trustsAnIssuer = async () => ({ approvers: approversOf({ ...(await signer()).settings, planClaim: 'plan' }) });

/** With a token for this plan. */
function signed(command: 'approve' | 'reject', step: string | null, ...actors: readonly string[]): Meanwhile {
  return async (stage, _instance, workflowId) => {
    await asked(stage, workflowId, step);
    const { planHash } = await progressOf(stage, workflowId);
    const provider = await signer();
    for (const email of actors) {
      const token = await provider.sign({ email, plan: planHash, realm_access: { roles: ['sre-lead'] } });
      await order(stage, workflowId, command, { planHash, token });
    }
  };
}

const withABadToken: Meanwhile = async (stage, _instance, workflowId) => {
  const { planHash } = await progressOf(stage, workflowId);
  await order(stage, workflowId, 'approve', { planHash, token: 'x' }).catch(() => {});
};

/** `ops` takes everything; `unheard` answers each time that it cannot now. */
const OPS: Notifier = {
  webhooks: [
    { name: 'ops', on: [] },
    { name: 'unheard', on: [] },
  ],
  deliver: async (_notification, { names = [], except = [], onSettled } = {}) =>
    names
      .filter((name) => !except.includes(name))
      .map((webhook) => {
        if (webhook === 'unheard')
          return { webhook, result: 'unanswered', detail: 'answered 503', againAfterMs: 0 } as const;
        const delivery = {
          webhook,
          result: webhook === 'ops' ? 'delivered' : 'unknown',
          detail: 'answered 204',
        } as const;
        onSettled?.(delivery);
        return delivery;
      }),
};
const notifies = async () => ({ notifier: OPS });
const notifiesOfLate = async () => ({
  notifier: OPS,
  usualDurations: () => ({ from: 'component', jobs: 20, p50Ms: 100, p90Ms: 200 }) as const,
});

const notifiedOf =
  (count: number): Meanwhile =>
  async ({ client }, _instance, workflowId) =>
    until(async () => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const all = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      return all.filter((name) => name === 'notify').length >= count;
    }, 100);

/** Carries out a run that does not succeed, then one that resumes it. */
function resumed(runbook: string, first: Parameters<typeof alone>[1], later: Meanwhile = async () => {}): Turn['play'] {
  return async (stage) => {
    const { client, stack } = stage;
    const earlier = await alone(runbook, first)(stage);
    const runbooks = new RunbookClient({ client, taskQueue: DEFAULT_TASK_QUEUE });
    const { workflowId } = await runbooks.resumeFailed(earlier, { requestedBy: 'recorder' });
    const path = (await stack.report(earlier)).targets[0]?.path ?? '';
    await later(stage, { instanceId: '', path }, workflowId);
    await stack.report(workflowId);
    return workflowId;
  };
}

/** Two targets, whose run is paused while the first one's cloud job is in flight. */
function pausedBetween(runbook: string, then: CommandName): Turn['play'] {
  return async (stage) => {
    const { stack } = stage;
    const instances = [
      await stack.newInstance({ name: `a-${Date.now()}` }),
      await stack.newInstance({ name: `b-${Date.now()}` }),
    ];
    for (const { instanceId } of instances) await stack.control.outcome({ instanceId, durationMs: 800 });
    const workflowId = await stack.start(runbook, {
      targets: instances.map(({ path }) => path),
      requestedBy: 'recorder',
    });
    await until(async () => (await stack.accepted(instances[0]?.instanceId ?? '')).length === 1);
    await order(stage, workflowId, 'pause');
    await isPaused(stage, workflowId);
    await order(stage, workflowId, then);
    await stack.report(workflowId);
    return workflowId;
  };
}

const playedAlone = (
  runbook: string,
  name: string,
  outcome: Turn['outcome'],
  parts: Parameters<typeof alone>[1] & { readonly dependencies?: Turn['dependencies'] } = {},
): Turn => {
  const { dependencies, ...played } = parts;
  return {
    runbook,
    name,
    outcome,
    play: alone(runbook, played),
    ...(dependencies === undefined ? {} : { dependencies }),
  };
};

const APPROVALS: readonly Turn[] = [
  playedAlone('needs-approval', 'approved', 'succeeded', { meanwhile: decided('approve', null, 'bob', 'cyd') }),
  playedAlone('needs-approval', 'rejected', 'refused', { meanwhile: decided('reject', null, 'bob') }),
  playedAlone('needs-approval', 'aborted', 'cancelled', { meanwhile: onceAsked(null, commanded('abort')) }),
  playedAlone('needs-approval', 'cancelled', 'cancelled', {
    meanwhile: onceAsked(null, ({ cancel }, _instance, workflowId) => cancel(workflowId)),
  }),
  playedAlone('needs-approval', 'pausedMeanwhile', 'succeeded', {
    meanwhile: onceAsked(null, commanded('pause'), decided('approve', null, 'bob', 'cyd'), commanded('resume')),
  }),
  playedAlone('short-approval', 'expired', 'expired'),
  playedAlone('work-between', 'approved', 'succeeded', { meanwhile: decided('approve', 'work-done', 'bob') }),
  playedAlone('work-between', 'rejected', 'compensated', { meanwhile: decided('reject', 'work-done', 'bob') }),
  playedAlone('work-between', 'aborted', 'cancelled', { meanwhile: onceAsked('work-done', commanded('abort')) }),
  playedAlone('work-between', 'pausedMeanwhile', 'succeeded', {
    meanwhile: onceAsked(
      'work-done',
      commanded('pause'),
      oncePaused,
      decided('approve', 'work-done', 'bob'),
      commanded('resume'),
    ),
  }),
  playedAlone('short-work', 'expired', 'compensated'),
  playedAlone('led-work', 'signed', 'succeeded', {
    dependencies: trustsAnIssuer,
    meanwhile: inTurn(signed('approve', null, 'bob'), signed('approve', 'work-done', 'bob', 'cyd')),
  }),
  playedAlone('led-work', 'signedThenRejected', 'compensated', {
    dependencies: trustsAnIssuer,
    meanwhile: inTurn(signed('approve', null, 'bob'), signed('reject', 'work-done', 'cyd')),
  }),
  playedAlone('led-work', 'badToken', 'cancelled', {
    dependencies: trustsAnIssuer,
    meanwhile: onceAsked(null, withABadToken, commanded('abort')),
  }),
  playedAlone('maintenance', 'done', 'succeeded', { meanwhile: decided('approve', 'work-done', 'recorder') }),
  playedAlone('maintenance', 'rejected', 'failed', { meanwhile: decided('reject', 'work-done', 'bob') }),
];

const COMMANDS: readonly Turn[] = [
  { runbook: 'emergency-stop', name: 'severalTargets', outcome: 'succeeded', play: stopAll },
  playedAlone('emergency-stop', 'refused', 'refused', { more: { freeze: ['for-ever'] } }),
  playedAlone('stop-then-wait', 'abortedInStep', 'cancelled', { meanwhile: inTurn(onceActed, commanded('abort')) }),
  playedAlone('operated', 'pauseTakenBack', 'succeeded', {
    arm: takesASecond('scale'),
    meanwhile: inTurn(onceActed, commanded('pause', 'resume')),
  }),
  playedAlone('operated', 'pausedThenAborted', 'cancelled', {
    arm: takesASecond('scale'),
    meanwhile: inTurn(onceActed, commanded('pause'), oncePaused, commanded('abort')),
  }),
  playedAlone('restart', 'pausedAtGate', 'succeeded', {
    more: opensIn(6_000),
    meanwhile: inTurn(
      (stage, _instance, workflowId) => isWaiting(stage, workflowId),
      commanded('pause'),
      () => new Promise((resolve) => setTimeout(resolve, 7_000)),
      commanded('resume'),
    ),
  }),
  {
    runbook: 'operated-at-first',
    name: 'pausedBetween',
    outcome: 'succeeded',
    play: pausedBetween('operated-at-first', 'resume'),
  },
  {
    runbook: 'operated-at-first',
    name: 'abortedBetween',
    outcome: 'cancelled',
    play: pausedBetween('operated-at-first', 'abort'),
  },
];

async function stopAll({ stack }: Stage): Promise<string> {
  const first = await stack.newInstance({ name: `a-${Date.now()}` });
  const second = await stack.newInstance({ name: `b-${Date.now()}` });
  const workflowId = await stack.start('emergency-stop', { targets: [first.path, second.path] });
  await stack.report(workflowId);
  return workflowId;
}

const DECISIONS: readonly Turn[] = [
  playedAlone('operated', 'retriedTwice', 'succeeded', {
    arm: async (stage, instance) => {
      await restartFails(stage, instance);
      const { instanceId } = instance;
      await stage.stack.control.outcome({ instanceId, action: 'restart', nth: 2, executionStatus: 'FAILED' });
    },
    meanwhile: inTurn(
      onceBlocked('retryStep'),
      (stage, instance) => actions(stage, instance, 3),
      onceBlocked('skipStep'),
    ),
  }),
  playedAlone('operated', 'pausedWhileBlocked', 'succeeded', {
    arm: restartFails,
    meanwhile: inTurn(
      (stage, instance) => isBlocked(stage, instance),
      commanded('pause'),
      oncePaused,
      commanded('resume'),
      retriedOnceResumed,
    ),
  }),
  playedAlone('operated-at-first', 'markedThenUndone', 'compensated', {
    arm: async (stage, instance) => {
      await fails('scale')(stage, instance);
      await restartFails(stage, instance);
    },
    meanwhile: async (stage, instance) => {
      await isBlocked(stage, instance);
      await stage.stack.control.console({
        instanceId: instance.instanceId,
        action: 'scale',
        parameters: { replica: 4 },
      });
      await until(async () => (await stage.stack.control.instance(instance.instanceId)).replica === 4);
      await order(stage, lease(stage, instance), 'markSucceeded');
    },
  }),
  playedAlone('operated-at-first', 'foundTrue', 'succeeded', {
    arm: fails('scale'),
    meanwhile: async (stage, instance) => {
      await isBlocked(stage, instance);
      await stage.stack.control.change(instance.instanceId, { replica: 4, availableReplica: 4 });
      await order(stage, lease(stage, instance), 'retryStep');
    },
  }),
  playedAlone('operated-at-first', 'cancelledWhileBlocked', 'cancelled', {
    arm: fails('scale'),
    meanwhile: inTurn(
      (stage, instance) => isBlocked(stage, instance),
      ({ cancel }, _instance, workflowId) => cancel(workflowId),
    ),
  }),
  playedAlone('operated', 'retriedInVain', 'succeeded', {
    arm: isNotAnswered('restart'),
    meanwhile: inTurn(retriedInVain, onceBlocked('retryStep')),
  }),
  playedAlone('unattended', 'leftUnclear', 'indeterminate', { arm: isNotAnswered('restart') }),
];

/** Retried with a failure before anything is sent; the step then waits again. */
async function retriedInVain(stage: Stage, instance: Instance): Promise<void> {
  const { client, stack } = stage;
  const { instanceId } = instance;
  await isBlocked(stage, instance);
  await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'status', status: 403 } });
  await order(stage, lease(stage, instance), 'retryStep');
  const target = client.workflow.getHandle(lease(stage, instance));
  await until(async () => {
    const { blocked } = await target.query<TargetProgress>(PROGRESS_QUERY);
    return blocked?.why.includes('The retry sent nothing') === true;
  });
}

/** The target learns that the pause has ended, and refuses decisions until then. */
async function retriedOnceResumed(stage: Stage, instance: Instance): Promise<void> {
  await until(() =>
    order(stage, lease(stage, instance), 'retryStep').then(
      () => true,
      () => false,
    ),
  );
}

const RESUMED: readonly Turn[] = [
  { runbook: 'abort', name: 'resumed', outcome: 'succeeded', play: resumed('abort', { arm: restartFails }) },
  {
    runbook: 'maintenance',
    name: 'resumedAndApproved',
    outcome: 'succeeded',
    play: resumed(
      'maintenance',
      { arm: fails('start'), meanwhile: decided('approve', 'work-done', 'recorder') },
      decided('approve', null, 'bob'),
    ),
  },
  {
    runbook: 'maintenance',
    name: 'resumedAfterRejection',
    outcome: 'succeeded',
    play: resumed(
      'maintenance',
      { meanwhile: decided('reject', 'work-done', 'bob') },
      decided('approve', 'work-done', 'recorder'),
    ),
  },
];

const NOTIFIED: readonly Turn[] = [
  playedAlone('notified', 'done', 'succeeded', { dependencies: notifies }),
  playedAlone('notified', 'waitedForWindow', 'succeeded', {
    dependencies: notifies,
    more: opensIn(4_000),
  }),
  playedAlone('notified', 'late', 'succeeded', {
    dependencies: notifiesOfLate,
    arm: (stage, { instanceId }) => stage.stack.control.outcome({ instanceId, action: 'restart', neverEnds: true }),
    meanwhile: inTurn(notifiedOf(1), ({ stack }, { instanceId }) => stack.control.finish(instanceId)),
  }),
  playedAlone('notified-decision', 'reminded', 'succeeded', {
    dependencies: notifies,
    arm: isNotAnswered('restart'),
    meanwhile: inTurn(notifiedOf(3), onceBlocked('retryStep')),
  }),
  // The reminders about the first wait use up the messages, and the second wait is notified all the same.
  playedAlone('notified-decision', 'remindedOften', 'succeeded', {
    dependencies: notifies,
    arm: async (stage, instance) => {
      await restartFails(stage, instance);
      const { instanceId } = instance;
      await stage.stack.control.outcome({ instanceId, action: 'restart', nth: 2, executionStatus: 'FAILED' });
    },
    meanwhile: inTurn(notifiedOf(60), onceBlocked('retryStep'), notifiedOf(61), onceBlocked('skipStep')),
  }),
  playedAlone('notified-decision', 'pausedThenAborted', 'cancelled', {
    dependencies: notifies,
    arm: takesASecond('scale'),
    meanwhile: inTurn(onceActed, commanded('pause'), notifiedOf(1), commanded('abort')),
  }),
  playedAlone('notified-undo', 'compensated', 'compensated', { dependencies: notifies, arm: restartFails }),
  playedAlone('notified-approval', 'approved', 'succeeded', {
    dependencies: notifies,
    meanwhile: inTurn(decided('approve', null, 'bob'), decided('approve', 'work-done', 'cyd')),
  }),
  playedAlone('notified-approval', 'notBegun', 'refused', {
    dependencies: notifies,
    meanwhile: decided('reject', null, 'bob'),
  }),
  playedAlone('notified-approval', 'rejected', 'compensated', {
    dependencies: notifies,
    meanwhile: inTurn(decided('approve', null, 'bob'), decided('reject', 'work-done', 'cyd')),
  }),
];

const CHECKED: readonly Turn[] = [
  playedAlone('checked-continue', 'failedAndContinued', 'failed', {
    more: { inputs: { url: 'http://shop.example/503' } },
  }),
];

export const TURNS_OF_PEOPLE: readonly Turn[] = [
  ...APPROVALS,
  ...COMMANDS,
  ...DECISIONS,
  ...RESUMED,
  ...NOTIFIED,
  ...CHECKED,
];
