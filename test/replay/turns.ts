/** Every turn that a run can take and that has its own history: how to cause it, and how it ends. One row per turn. */
import { DEFAULT_TASK_QUEUE } from '../../src/domain/contract.js';
import { ALARM_RULE_WORKFLOW, WITHDRAW_SIGNAL, type Brakes } from '../../src/domain/alarms/alarm.js';
import { decide } from '../../src/domain/alarms/alarm-rule.js';
import { EMPTY_STATE } from '../../src/domain/alarms/alarm-rule-state.js';
import type { RunReport } from '../../src/domain/report/report.js';
import type { CommandName } from '../../src/domain/steering/command-names.js';
import { aRule, NO_BRAKES, OWNER } from '../support/alarms.js';
import { until } from '../support/until.js';
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
import { TURNS_OF_PEOPLE } from './turns-of-people.js';

const cancelledInStep: Parameters<typeof alone>[1] = {
  meanwhile: async (stage, instance, workflowId) => {
    await actions(stage, instance, 1);
    await stage.cancel(workflowId);
  },
};

const scaledDown = async ({ stack }: Stage, { path }: Instance) => stack.run('scale-down', path);

async function severalTargets({ stack }: Stage, firstFails: boolean): Promise<string> {
  const first = await stack.newInstance({ name: `a-${Date.now()}` });
  const second = await stack.newInstance({ name: `b-${Date.now()}` });
  if (firstFails) await stack.control.outcome({ instanceId: first.instanceId, executionStatus: 'FAILED' });
  const workflowId = await stack.start('restart', { targets: [first.path, second.path] });
  await stack.report(workflowId);
  return workflowId;
}

async function busyLease({ stack }: Stage): Promise<string> {
  const { instanceId, path } = await stack.newInstance();
  await stack.control.outcome({ instanceId, durationMs: 1_000 });
  const holder = await stack.start('restart', { targets: [path], requestedBy: 'holder' });
  await until(async () => (await stack.accepted(instanceId)).length === 1);
  const workflowId = await stack.start('restart', { targets: [path], requestedBy: 'recorder' });
  await Promise.all([stack.report(workflowId), stack.report(holder)]);
  return workflowId;
}

/** The restart fails or is not answered; then an operator commands. */
function decided(command: CommandName, isAnswered: boolean): Turn['play'] {
  return alone('operated', {
    arm: async (stage, instance) => {
      const { instanceId } = instance;
      if (isAnswered) return restartFails(stage, instance);
      return stage.stack.control.fault({
        on: { instanceId, route: 'action', action: 'restart' },
        fault: { kind: 'reset' },
      });
    },
    meanwhile: async (stage, instance, workflowId) => {
      await isBlocked(stage, instance);
      await order(stage, command === 'abort' ? workflowId : lease(stage, instance), command);
    },
  });
}

/** For `checkedByStatus`, which answers with the status that a path begins with. */
const checking = (first: number, later: number) => ({
  more: { inputs: { first: `http://shop.example/${first}`, later: `http://shop.example/${later}` } },
});

const atGate = (target: string) => ({
  runbook: 'restart',
  target,
  arguments: { targets: [target], freeze: ['for-ever'], waitAtMost: '1h' },
});

/** Every kind of work of a rule: starts, a repeat, a withdrawal, an ended debounce, a start that happened before. */
async function ruleDecides(stage: Stage): Promise<string> {
  const { stack, client } = stage;
  const [first, second] = [await stack.newInstance(), await stack.newInstance()];
  const rule = aRule(client, DEFAULT_TASK_QUEUE, `decides-${Date.now()}`);
  const brakes: Partial<Brakes> = { onResolved: 'withdraw', coolDownMs: 60_000, atOnce: 5 };
  const alarm = rule.alarm({ start: atGate(first.path) });
  const [started] = await rule.decide([alarm, alarm], brakes);
  await isWaiting(stage, started?.runId ?? '');
  await rule.decide([rule.alarm({ start: atGate(first.path), status: 'resolved' })], brakes);
  await stack.report(started?.runId ?? '');
  const later = rule.alarm({ target: second.path, incident: 'second' });
  const [waiting] = await rule.decide([later], { ...brakes, debounceMs: 500 });
  await until(async () => (await rule.log())[0]?.decision.kind === 'started');
  await stack.report(waiting?.runId ?? '');
  await rule.decide([rule.alarm({ target: first.path, incident: 'third', start: { problem: 'no label' } })], brakes);
  return rule.workflowId;
}

/** A rule that continued as new, with a debounce that began before. */
async function ruleContinues({ stack, client }: Stage): Promise<string> {
  const { path } = await stack.newInstance();
  const rule = aRule(client, DEFAULT_TASK_QUEUE, `continues-${Date.now()}`);
  const brakes = { ...NO_BRAKES, debounceMs: 500 };
  const now = { owner: OWNER, rule: rule.rule, brakes, nowMs: Date.now(), seen: [] };
  const { state, decision } = decide({ ...EMPTY_STATE, brakes }, rule.alarm({ target: path }), now);
  await client.workflow.start(ALARM_RULE_WORKFLOW, {
    workflowId: rule.workflowId,
    taskQueue: DEFAULT_TASK_QUEUE,
    args: [{ owner: OWNER, rule: rule.rule, state }],
  });
  await until(async () => (await rule.log())[0]?.decision.kind === 'started');
  await stack.report(decision.runId ?? '');
  return rule.workflowId;
}

/**
 * A firing that is called off by a false resolution whose labels match another rule; and a start of a run that exists
 * already.
 */
async function falseResolution({ stack, client }: Stage): Promise<string> {
  const { path } = await stack.newInstance();
  const rule = aRule(client, DEFAULT_TASK_QUEUE, `false-resolution-${Date.now()}`);
  const now = Date.now();
  const sentAt = (minutesAgo: number) => ({ saidAtMs: now - minutesAgo * 60_000, target: path });
  const firing = (minutesAgo: number) => rule.alarm({ atMs: now - 3_600_000, ...sentAt(minutesAgo) });
  const elsewhere = { status: 'resolved', start: { problem: 'elsewhere' }, onlyIfKnown: true } as const;
  await rule.decide([firing(30)], { debounceMs: 3_600_000 });
  await rule.decide([rule.alarm({ ...elsewhere, atMs: now - 1_200_000, ...sentAt(20) })]);
  const [started] = await rule.decide([firing(5), rule.alarm({ ...elsewhere, incident: 'other' })]);
  await stack.report(started?.runId ?? '');
  const other = rule.alarm({ incident: 'other', target: path });
  const runId = `alarm-${OWNER}-${rule.rule}-${other.episodeHash.slice(0, 16)}`;
  await stack.report(await stack.start('restart', { targets: [path] }, runId));
  await rule.decide([other, rule.alarm({ incident: 'third', start: { problem: 'no label' } })]);
  return rule.workflowId;
}

export const TURNS: readonly Turn[] = [
  ...TURNS_OF_PEOPLE,
  { runbook: ALARM_RULE_WORKFLOW, name: 'decides', outcome: null, play: ruleDecides },
  { runbook: ALARM_RULE_WORKFLOW, name: 'goesOn', outcome: null, play: ruleContinues },
  { runbook: ALARM_RULE_WORKFLOW, name: 'toldFalsely', outcome: null, play: falseResolution },
  {
    runbook: 'restart',
    name: 'withdrawn',
    outcome: 'cancelled',
    play: alone('restart', {
      more: { freeze: ['for-ever'], waitAtMost: '1h' },
      meanwhile: async (stage, _instance, workflowId) => {
        await isWaiting(stage, workflowId);
        await stage.client.workflow.getHandle(workflowId).signal(WITHDRAW_SIGNAL, 'the recorder');
      },
    }),
  },
  {
    runbook: 'restart',
    name: 'refusedByFreeze',
    outcome: 'refused',
    play: alone('restart', { more: { freeze: ['for-ever'] } }),
  },
  {
    runbook: 'restart',
    name: 'expiredAfterWait',
    outcome: 'expired',
    play: alone('restart', { more: { freeze: ['for-ever'], waitAtMost: '1s' } }),
  },
  {
    runbook: 'restart',
    name: 'waitedForWindow',
    outcome: 'succeeded',
    play: async (stage) => {
      const window = { duration: '1h', opensAt: new Date(Date.now() + 1_500).toISOString() };
      return alone('restart', { more: { window, waitAtMost: '1m' } })(stage);
    },
  },
  {
    runbook: 'restart',
    name: 'gateClosedBeforeFirstAction',
    outcome: 'refused',
    play: alone('restart', {
      more: { window: { duration: '1h', cutoff: '3597s' } },
      arm: ({ stack }, { instanceId }) =>
        stack.control.fault({
          on: { instanceId, route: 'action' },
          fault: { kind: 'throttle', retryAfterSeconds: 4 },
        }),
    }),
  },
  {
    runbook: 'restart',
    name: 'adopted',
    outcome: 'succeeded',
    play: alone('restart', {
      arm: ({ stack }, { instanceId }) =>
        stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'actThenReset' } }),
    }),
  },
  {
    runbook: 'restart',
    name: 'notSentAtFirst',
    outcome: 'succeeded',
    play: alone('restart', {
      arm: ({ stack }, { instanceId }) =>
        stack.control.fault({
          on: { instanceId, route: 'action' },
          fault: { kind: 'throttle', retryAfterSeconds: 0.05 },
        }),
    }),
  },
  {
    runbook: 'restart',
    name: 'neverAnswered',
    outcome: 'indeterminate',
    play: alone('restart', {
      arm: ({ stack }, { instanceId }) =>
        stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'reset' } }),
    }),
  },
  {
    runbook: 'restart',
    name: 'cloudJobFailed',
    outcome: 'failed',
    play: alone('restart', { arm: restartFails }),
  },
  {
    runbook: 'short-deadline',
    name: 'settledAfterUnknown',
    outcome: 'compensated',
    play: alone('short-deadline', {
      arm: async ({ stack }, { instanceId }) => {
        await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'actThenReset' } });
        await stack.control.fault({
          on: { instanceId, route: 'instance' },
          nth: 4,
          times: 6,
          fault: { kind: 'status', status: 503 },
        });
      },
    }),
  },
  {
    runbook: 'short-deadline',
    name: 'neverSettled',
    outcome: 'indeterminate',
    play: alone('short-deadline', {
      arm: ({ stack }, { instanceId }) => stack.control.outcome({ instanceId, action: 'stop', neverEnds: true }),
    }),
  },
  { runbook: 'short-deadline', name: 'deadlineInWait', outcome: 'compensated', play: alone('short-deadline') },
  {
    runbook: 'short-deadline',
    name: 'waited',
    outcome: 'succeeded',
    play: alone('short-deadline', { more: { inputs: { pause: '100ms' } } }),
  },
  {
    runbook: 'stop-then-wait',
    name: 'cancelledInStep',
    outcome: 'cancelled',
    play: alone('stop-then-wait', cancelledInStep),
  },
  {
    runbook: 'stop-then-wait-keep',
    name: 'cancelledInStep',
    outcome: 'cancelled',
    play: alone('stop-then-wait-keep', cancelledInStep),
  },
  {
    runbook: 'stop-then-wait-leave',
    name: 'cancelledInStep',
    outcome: 'cancelled',
    play: alone('stop-then-wait-leave', cancelledInStep),
  },
  {
    runbook: 'stop-then-wait',
    name: 'cancelledInWait',
    outcome: 'cancelled',
    play: alone('stop-then-wait', {
      meanwhile: async ({ stack, cancel }, { instanceId }, workflowId) => {
        await until(async () => (await stack.control.instance(instanceId)).status === 'STOPPED');
        // The verification of the stop takes 60 ms and one more reading.
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await cancel(workflowId);
      },
    }),
  },
  {
    runbook: 'stop-then-wait',
    name: 'cancelledInUndo',
    outcome: 'cancelled',
    play: alone('stop-then-wait', {
      meanwhile: async (stage, instance, workflowId) => {
        await actions(stage, instance, 1);
        await stage.cancel(workflowId);
        await actions(stage, instance, 2);
        await stage.cancel(workflowId);
      },
    }),
  },
  {
    runbook: 'stop-then-wait',
    name: 'cancelledAtOnce',
    outcome: 'cancelled',
    play: alone('stop-then-wait', { meanwhile: ({ cancel }, _instance, workflowId) => cancel(workflowId) }),
  },
  { runbook: 'operated', name: 'retriedAfterFailure', outcome: 'succeeded', play: decided('retryStep', true) },
  { runbook: 'operated', name: 'retriedWhenUnclear', outcome: 'succeeded', play: decided('retryStep', false) },
  { runbook: 'operated', name: 'skipped', outcome: 'succeeded', play: decided('skipStep', true) },
  { runbook: 'operated', name: 'marked', outcome: 'succeeded', play: decided('markSucceeded', false) },
  { runbook: 'operated', name: 'aborted', outcome: 'cancelled', play: decided('abort', true) },
  {
    runbook: 'unattended',
    name: 'undecided',
    outcome: 'compensated',
    play: alone('unattended', { arm: restartFails }),
  },
  {
    runbook: 'operated',
    name: 'paused',
    outcome: 'succeeded',
    play: alone('operated', {
      arm: ({ stack }, { instanceId }) => stack.control.outcome({ instanceId, action: 'scale', durationMs: 1_000 }),
      meanwhile: async (stage, instance, workflowId) => {
        await actions(stage, instance, 1);
        await order(stage, workflowId, 'pause');
        await isPaused(stage, workflowId);
        await order(stage, workflowId, 'resume');
      },
    }),
  },
  {
    runbook: 'stop-then-wait',
    name: 'childLost',
    outcome: 'indeterminate',
    play: alone('stop-then-wait', {
      meanwhile: async (stage, instance) => {
        await actions(stage, instance, 1);
        await stage.terminate(lease(stage, instance));
      },
    }),
  },
  {
    runbook: 'start',
    name: 'afterLostHolder',
    outcome: 'succeeded',
    play: async (stage) => {
      const { stack } = stage;
      const instance = await stack.newInstance();
      const lost = await stack.start('stop-then-wait', { targets: [instance.path] });
      await until(async () => (await stack.control.instance(instance.instanceId)).status === 'STOPPED');
      await stage.terminate(lease(stage, instance));
      await stack.report(lost);
      const workflowId = await stack.start('start', { targets: [instance.path] });
      await stack.report(workflowId);
      return workflowId;
    },
  },
  { runbook: 'abort', name: 'aborted', outcome: 'failed', play: alone('abort', { arm: restartFails }) },
  { runbook: 'go-on', name: 'continued', outcome: 'failed', play: alone('go-on', { arm: restartFails }) },
  {
    runbook: 'declared-undo',
    name: 'undone',
    outcome: 'compensated',
    play: alone('declared-undo', { arm: restartFails }),
  },
  {
    runbook: 'declared-none',
    name: 'kept',
    outcome: 'failed',
    play: alone('declared-none', { arm: restartFails }),
  },
  {
    runbook: 'scale-then-restart',
    name: 'drifted',
    outcome: 'compensationFailed',
    play: alone('scale-then-restart', {
      arm: restartFails,
      meanwhile: async (stage, instance) => {
        const { control } = stage.stack;
        await actions(stage, instance, 2);
        await control.switches({ busy: 'accept' });
        await control.console({ instanceId: instance.instanceId, action: 'scale', parameters: { replica: 6 } });
        await control.switches({ busy: 'reject' });
      },
    }),
  },
  {
    runbook: 'scale-up',
    name: 'restored',
    outcome: 'succeeded',
    play: alone('scale-up', { arm: scaledDown }),
  },
  {
    runbook: 'scale-up',
    name: 'countChanged',
    outcome: 'refused',
    play: alone('scale-up', {
      arm: async (stage, instance) => {
        await scaledDown(stage, instance);
        // The second reading is the one under the lease: late enough for somebody to change the count before it.
        const on = { instanceId: instance.instanceId, route: 'instance' };
        await stage.stack.control.fault({ on, nth: 2, fault: { kind: 'delay', ms: 200 } });
      },
      meanwhile: async ({ stack: { control } }, { instanceId }) => {
        await until(async () => (await control.faults()).some(({ hits }) => hits > 0));
        await control.change(instanceId, { replica: 3, availableReplica: 3 });
      },
    }),
  },
  {
    runbook: 'restart',
    name: 'severalTargets',
    outcome: 'succeeded',
    play: (stage) => severalTargets(stage, false),
  },
  {
    runbook: 'restart',
    name: 'secondNotStarted',
    outcome: 'failed',
    play: (stage) => severalTargets(stage, true),
  },
  { runbook: 'restart', name: 'busyLease', outcome: 'refused', play: busyLease },
  {
    runbook: 'stop',
    name: 'foreignCloudJobFirst',
    outcome: 'succeeded',
    play: alone('stop', {
      arm: async ({ stack }, { instanceId }) => {
        await stack.control.outcome({ instanceId, action: 'scale', durationMs: 1_500 });
        await stack.control.console({ instanceId, action: 'scale', parameters: { replica: 3 } });
      },
    }),
  },
  {
    runbook: 'recover',
    name: 'workerReplaced',
    outcome: 'succeeded',
    play: alone('recover', {
      arm: ({ stack }, { instanceId }) => stack.control.outcome({ instanceId, action: 'rollback', durationMs: 1_500 }),
      meanwhile: async (stage, instance) => {
        await actions(stage, instance, 2);
        await stage.replaceWorker();
      },
    }),
  },
  {
    runbook: 'recover',
    name: 'plannedOnly',
    outcome: null,
    play: async ({ stack }) => {
      const { path } = await stack.newInstance();
      const workflowId = await stack.start('recover', { targets: [path], dryRun: true });
      // A dry run ends with its plan and leaves no report.
      await stack.report(workflowId).catch((_noReport: unknown): RunReport | null => null);
      return workflowId;
    },
  },
  { runbook: 'checked', name: 'passed', outcome: 'succeeded', play: alone('checked', checking(200, 200)) },
  { runbook: 'checked', name: 'notBegun', outcome: 'refused', play: alone('checked', checking(503, 200)) },
  { runbook: 'checked', name: 'undone', outcome: 'compensated', play: alone('checked', checking(200, 299)) },
  {
    runbook: 'long-check',
    name: 'cancelled',
    outcome: 'cancelled',
    play: alone('long-check', {
      more: { inputs: { url: 'http://shop.example/503' } },
      meanwhile: async (stage, instance, workflowId) => {
        await actions(stage, instance, 1);
        await until(async () => {
          const { raw } = await stage.client.workflow.getHandle(lease(stage, instance)).describe();
          return raw.pendingActivities?.[0]?.activityType?.name === 'performCheck';
        });
        await stage.cancel(workflowId);
      },
    }),
  },
  {
    runbook: 'restart',
    name: 'idOfALease',
    outcome: 'refused',
    play: async (stage) => {
      const instance = await stage.stack.newInstance();
      const workflowId = await stage.stack.start('restart', { targets: [instance.path] }, lease(stage, instance));
      await stage.stack.report(workflowId);
      return workflowId;
    },
  },
];
