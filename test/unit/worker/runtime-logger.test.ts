/** Lines of Temporal's SDK get the names of our own fields, and lose what may not be logged. */
import { expect, it } from 'vitest';
import { logTo } from '../../../src/logging/log.js';
import { runtimeLogger } from '../../../src/worker/runtime-logger.js';

function logged(meta: Record<string, unknown>, message = 'Activity failed'): Record<string, unknown> {
  const lines: string[] = [];
  runtimeLogger(logTo({ write: (line) => lines.push(line) }, { level: 'trace' })).log('WARN', message, meta);
  const { time: _time, service: _service, ...line } = JSON.parse(lines.join('')) as Record<string, unknown>;
  return line;
}

const ACTIVITY = { sdkComponent: 'activity', taskToken: 'dG9rZW4', activityType: 'performAction', attempt: 2 };

it('drops task tokens, and tasks with their arguments', () => {
  const line = logged({ ...ACTIVITY, task: '{"start":{}}' });
  expect(line).toEqual({
    level: 'warn',
    msg: 'Activity failed',
    sdkComponent: 'activity',
    activityType: 'performAction',
    attempt: 2,
  });
});

it('drops whatever has parts: tasks with their arguments, options with their codecs', () => {
  const options = { dataConverter: { payloadCodecs: [{ key: 'THE-KEY' }] }, workflowBundle: { code: 'x' } };
  const line = logged({ options, jobs: [{ initializeWorkflow: { arguments: ['THE-KEY'] } }], isReplaying: false });
  expect(line).toEqual({ level: 'warn', msg: 'Activity failed', isReplaying: false });
});

it('keeps what an activity adds about its run', () => {
  const added = { runId: 'recover-1', target: 'shop/checkout/prod-1', step: 'restart', cloudJobId: 'j-1' };
  const ids = { workflowId: 'lease:p:i', workflowType: 'targetRun', workflowRunId: 'aaaa' };
  expect(logged({ ...ACTIVITY, ...ids, ...added })).toMatchObject({ ...added, ...ids });
});

it('takes the workflow of a run for the run, and no other one', () => {
  const of = (workflowType: string) => logged({ workflowId: 'w', workflowType, workflowRunId: 'aaaa' })['runId'];
  expect([of('restart'), of('targetRun'), of('alarmRule')]).toEqual(['w', undefined, undefined]);
});

it("calls Temporal's run id workflowRunId, whatever the SDK calls it", () => {
  expect(logged({ workflowId: 'w', workflowType: 'restart', runId: 'aaaa' })).toMatchObject({
    runId: 'w',
    workflowRunId: 'aaaa',
  });
});

it("does not take a module of the SDK's core for a target", () => {
  const line = logged({ sdkComponent: 'core', target: 'temporalio_sdk_core::worker' });
  expect(line).toMatchObject({ module: 'temporalio_sdk_core::worker' });
  expect(line).not.toHaveProperty('target');
});

it('writes name and message of an error, without its stack', () => {
  expect(logged({ error: new RangeError('too far') })['error']).toBe('RangeError: too far');
});

it('moves the ids that the core writes into a message to a field, so that one event has one text', () => {
  const message = '[TMPRL1104] 01a22ea1-ea77-770e-a7e4-9d0e0b641d21:7:2 Workflow task duration exceeded 5 seconds.';
  expect(logged({ sdkComponent: 'core', event_id: 7 }, message)).toEqual({
    level: 'warn',
    msg: '[TMPRL1104] Workflow task duration exceeded 5 seconds.',
    sdkComponent: 'core',
    event_id: 7,
    workflowRunId: '01a22ea1-ea77-770e-a7e4-9d0e0b641d21',
  });
});
