/** Signed approvals against a real server: where the worker trusts an issuer, only its tokens count, for the run and for a step. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPROVAL_SIGNAL, PROGRESS_QUERY, type ApprovalOrder } from '../../src/domain/contract.js';
import type { ApprovalProgress, RunProgress } from '../../src/domain/report/progress.js';
import type { CommandAnswer } from '../../src/domain/steering/commands.js';
import { leaseId } from '../../src/domain/target/target.js';
import { aroundActivities } from '../support/around-activities.js';
import { approversOf, ISSUER, newSigner, type Signer } from '../support/signer.js';
import { refusalOf } from '../support/refusal.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { untilFound } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let signer: Signer;
/** The worker of a target has other keys than that of its run. */
let refusesInTarget = false;
beforeAll(async () => {
  signer = await newSigner();
  const runbooks = fileURLToPath(new URL('./runbooks', import.meta.url));
  stack = await startStack(temporal, {
    runbookDirectories: [runbooks],
    dependencies: { approvers: approversOf({ ...signer.settings, planClaim: 'plan' }) },
    worker: aroundActivities(async ({ workflowType, activityType }, carryOut) =>
      refusesInTarget && workflowType === 'targetRun' && activityType === 'verifyApproval'
        ? { kind: 'refused', why: 'other keys' }
        : carryOut(),
    ),
  });
});
afterAll(() => stack.close());

const runProgress = (workflowId: string) =>
  temporal.client.workflow.getHandle(workflowId).query<RunProgress>(PROGRESS_QUERY);

function decide(workflowId: string, name: 'approve' | 'reject', planHash: string, more: object) {
  const handle = temporal.client.workflow.getHandle(workflowId);
  const args: [object] = [{ actor: 'somebody', reason: 'a test', planHash, ...more }];
  return handle.executeUpdate<CommandAnswer, [object]>(name, { args });
}

const tokenOf = (email: string, plan: string, roles: readonly string[] = ['sre-lead']) =>
  signer.sign({ email, plan, realm_access: { roles } });

async function waitingStep(workflowId: string): Promise<ApprovalProgress> {
  return untilFound(async () => (await runProgress(workflowId)).targets[0]?.approval ?? null);
}

/** A run on a new instance, which waits for the approval of the run. */
async function waitingRun() {
  const instance = await stack.newInstance();
  const workflowId = await stack.start('led-work', { targets: [instance.path], requestedBy: 'ann' });
  await untilFound(async () => (await runProgress(workflowId)).approval ?? null);
  const plan = (await runProgress(workflowId)).planHash ?? '';
  return { ...instance, workflowId, plan };
}

describe('where the worker of the target verifies with other keys', () => {
  it('the step asks again, and people can vote again', async () => {
    const { workflowId, plan } = await waitingRun();
    await decide(workflowId, 'approve', plan, { token: await tokenOf('bob', plan) });
    const { askedAtMs, untilMs } = await waitingStep(workflowId);
    const vote = async (name: string) =>
      (await decide(workflowId, 'approve', plan, { token: await tokenOf(name, plan) })).state;
    refusesInTarget = true;
    expect(await vote('bob')).toBe('waitingForApproval');
    const again = await untilFound(async () => {
      const { approval = null } = (await runProgress(workflowId)).targets[0] ?? {};
      return approval !== null && approval.askedAtMs > askedAtMs ? approval : null;
    });
    expect(again).toMatchObject({ votes: [], untilMs });
    refusesInTarget = false;
    expect(await vote('bob')).toBe('waitingForApproval');
    expect(await vote('cyd')).toBe('approved');
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(report.targets[0]?.steps[1]?.approval).toMatchObject({
      askedAtMs,
      votes: [{ actor: 'bob' }, { actor: 'cyd' }],
    });
  });
});

describe.concurrent('where the worker trusts an issuer', () => {
  it('only a token of a lead who is not the requester counts, and the report has what it proves', async () => {
    const { workflowId, instanceId, plan } = await waitingRun();
    const approve = (more: object) => decide(workflowId, 'approve', plan, more);
    expect(await refusalOf(approve({}))).toMatch(/only a signed approval counts: add "token"/);
    expect(await refusalOf(approve({ token: 'x' }))).toMatch(/the token does not count/);
    expect(await refusalOf(approve({ token: await tokenOf('bob', 'b'.repeat(64)) }))).toMatch(/for another plan/);
    expect(await refusalOf(approve({ token: await tokenOf('bob', plan, ['staff']) }))).toMatch(
      /bob has none of the roles sre-lead/,
    );
    expect(await refusalOf(approve({ token: await tokenOf('ann', plan) }))).toMatch(/ann requested the run/);
    expect(await stack.accepted(instanceId)).toEqual([]);
    const token = await tokenOf('bob', plan);
    expect(await approve({ token, key: 'k' })).toMatchObject({ state: 'approved', repeated: false });
    expect(await approve({ token, key: 'k' })).toMatchObject({ state: 'approved', repeated: true });

    await waitingStep(workflowId);
    expect(await approve({ token })).toMatchObject({ state: 'waitingForApproval' });
    expect(await refusalOf(approve({ token }))).toMatch(/bob has approved it already/);
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
    expect(await approve({ token: await tokenOf('cyd', plan) })).toMatchObject({ state: 'approved' });
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('succeeded');
    expect(report.approval?.votes).toEqual([
      {
        command: 'approve',
        actor: 'bob',
        reason: 'a test',
        atMs: expect.any(Number),
        roles: ['sre-lead'],
        signedBy: ISSUER,
      },
    ]);
    expect(report.targets[0]?.steps[1]?.approval?.votes).toMatchObject([
      { actor: 'bob', signedBy: ISSUER },
      { actor: 'cyd', signedBy: ISSUER },
    ]);
    expect(JSON.stringify(report)).not.toContain(token);
  });

  it('a signal to the target that bypasses the run counts for nothing', async () => {
    const { workflowId, instanceId, plan } = await waitingRun();
    await decide(workflowId, 'approve', plan, { token: await tokenOf('bob', plan) });
    const { askedAtMs } = await waitingStep(workflowId);
    const child = temporal.client.workflow.getHandle(leaseId({ projectId: stack.simulator.projectId, instanceId }));
    const vote = {
      command: 'approve',
      reason: 'forged',
      atMs: Date.now(),
      roles: ['sre-lead'],
      signedBy: ISSUER,
    } as const;
    const forge = (order: object) => child.signal<[object]>(APPROVAL_SIGNAL, order);
    const order = (actor: string, more: object): ApprovalOrder => ({
      step: 'work-done',
      askedAtMs,
      vote: { ...vote, actor },
      ...more,
    });
    await forge(order('eve', {}));
    await forge(order('mal', { token: 'x' }));
    await forge(order('mal', { token: await tokenOf('mal', plan, []) }));
    await forge({ step: 'work-done' });
    expect(await decide(workflowId, 'reject', plan, { token: await tokenOf('cyd', plan) })).toMatchObject({
      state: 'rejected',
    });
    const report = await stack.report(workflowId);
    expect(report.outcome).toBe('compensated');
    expect(report.targets[0]?.steps[1]?.approval?.votes).toMatchObject([{ command: 'reject', actor: 'cyd' }]);
  });

  it('two people who approve at the same time both count, and a third comes too late', async () => {
    const { workflowId, plan } = await waitingRun();
    await decide(workflowId, 'approve', plan, { token: await tokenOf('bob', plan) });
    await waitingStep(workflowId);
    const tokens = await Promise.all(['bob', 'cyd', 'dan'].map((name) => tokenOf(name, plan)));
    const answers = await Promise.allSettled(tokens.map((token) => decide(workflowId, 'approve', plan, { token })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect((await stack.report(workflowId)).targets[0]?.steps[1]?.approval?.votes).toHaveLength(2);
  });
});
