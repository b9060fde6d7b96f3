/**
 * `runbook schedule diff` and `apply` as users type them: ownership, changes by hand, interrupted applies, two applies
 * at once.
 */
import { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import { applyDifferences } from '../../src/schedules/apply.js';
import { compareSchedules } from '../../src/schedules/compare.js';
import { CALLS_AT_A_TIME } from '../../src/schedules/describe.js';
import { ownershipOf } from '../../src/schedules/ownership.js';
import { readScheduleFile, type ReadSchedules } from '../../src/schedules/read-schedules.js';
import { runbookProcess } from '../support/command-line.js';
import { CALM, useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const desk = useSchedules(temporal);

async function read(file: string): Promise<ReadSchedules> {
  const found = await readScheduleFile(file, { findRunbook: (name) => findRunbook([], name) });
  if (Array.isArray(found)) throw new Error(JSON.stringify(found));
  return found;
}

type WorkflowService = Client['workflowService'];

/** A client of the same server with some calls replaced. */
function clientWith(calls: (server: WorkflowService) => Partial<WorkflowService>): Client {
  const { connection } = temporal.client;
  const { workflowService } = connection;
  const changed = Object.entries(calls(workflowService)).map(([name, value]) => [name, { value }] as const);
  const service = Object.create(workflowService, Object.fromEntries(changed)) as WorkflowService;
  return new Client({
    connection: Object.create(connection, { workflowService: { value: service } }) as Client['connection'],
  });
}

/** Applies the file by a client that does this after each of its writes. */
async function applyAnd(act: () => Promise<void>, file: string) {
  const client = clientWith((server) => {
    const then =
      <Given, Answer>(call: (given: Given) => Promise<Answer>) =>
      async (given: Given) => {
        const answer = await call.call(server, given);
        await act();
        return answer;
      };
    return {
      createSchedule: then(server.createSchedule) as WorkflowService['createSchedule'],
      updateSchedule: then(server.updateSchedule) as WorkflowService['updateSchedule'],
    };
  });
  const differences = await compareSchedules(temporal.client, await read(file), temporal.taskQueue);
  return applyDifferences(client, differences, temporal.taskQueue);
}
const changeJitter = (id: string) => () =>
  handleOf(id).update((now) => ({ ...now, spec: { ...now.spec, jitter: 60_000 } }));
const die = () => Promise.reject(new Error('killed'));

const handleOf = (id: string) => temporal.client.schedule.getHandle(id);
const isThere = (id: string) =>
  handleOf(id)
    .describe()
    .then(
      () => true,
      () => false,
    );
/** Deletions rely on the server's listing, which lags behind. */
const untilListed = (id: string) => {
  const [owner = ''] = id.split('/');
  return until(async () => (await desk.run('list', '--owner', owner)).stdout.includes(id), 100);
};

describe.concurrent('apply', () => {
  it('creates what is new, and a second time has nothing to do', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, {
      nightly: { ...CALM, jitter: '5m', cutoff: '10m', fit: false, overlap: 'buffer-one', reason: 'x' },
    });
    expect(await desk.diff(file)).toMatchObject([{ status: 'create', id: `${owner}/nightly` }]);
    expect(await desk.apply(file)).toMatchObject([{ result: 'created' }]);
    const { spec, policies, action, state } = await handleOf(`${owner}/nightly`).describe();
    expect(spec).toMatchObject({ timezone: 'Europe/Berlin', jitter: 300_000 });
    expect(policies).toEqual({ overlap: 'BUFFER_ONE', catchupWindow: 3_600_000, pauseOnFailure: false });
    expect(action).toMatchObject({
      workflowType: 'restart',
      workflowId: `restart:${owner}/nightly`,
      taskQueue: temporal.taskQueue,
      staticSummary: 'restart on shop/checkout/prod-1',
      args: [
        {
          targets: ['shop/checkout/prod-1'],
          requestedBy: `schedule ${owner}/nightly`,
          reason: 'x',
          window: { duration: '1h', cutoff: '10m', fit: false },
        },
      ],
    });
    expect(state.paused).toBe(false);
    expect(await desk.diff(file)).toMatchObject([{ status: 'unchanged', changes: [], byHand: [] }]);
    expect(await desk.apply(file)).toMatchObject([{ result: 'unchanged' }]);
    expect((await runbookProcess(['schedule', 'diff', file, '--exit-code'], desk.env)).exitCode).toBe(0);
  });

  it('updates what changed in the file, field by field, and keeps a pause', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { nightly: CALM }));
    expect(await desk.run('pause', `${owner}/nightly`, '--reason', 'a move')).toMatchObject({ exitCode: 0 });
    const file = await desk.file(owner, { nightly: { ...CALM, cron: '0 4 1 1 *', targets: ['shop/checkout/prod-2'] } });
    const shown = await runbookProcess(['schedule', 'diff', file, '--exit-code'], desk.env);
    expect(shown.exitCode).toBe(1);
    expect(shown.stdout).toContain('cron: 0 3 1 1 * → 0 4 1 1 *');
    expect(shown.stdout).toContain('targets: ["shop/checkout/prod-1"] → ["shop/checkout/prod-2"]');
    expect(shown.stdout).toContain('(paused)');
    expect(await desk.apply(file)).toMatchObject([{ result: 'updated' }]);
    const { state } = await handleOf(`${owner}/nightly`).describe();
    expect(state).toMatchObject({ paused: true });
    expect(state.note).toContain('a move');
  });

  it('deletes schedules that the file no longer has, and none of another owner', async () => {
    const [owner, other] = [desk.newOwner(), desk.newOwner()];
    await desk.apply(await desk.file(owner, { keep: CALM, drop: CALM }));
    await desk.apply(await desk.file(other, { drop: CALM }));
    await untilListed(`${owner}/drop`);
    const file = await desk.file(owner, { keep: CALM });
    expect(await desk.diff(file)).toMatchObject([
      { name: 'drop', status: 'delete' },
      { name: 'keep', status: 'unchanged' },
    ]);
    expect(await desk.apply(file)).toMatchObject([{ result: 'deleted' }, { result: 'unchanged' }]);
    expect(await isThere(`${owner}/drop`)).toBe(false);
    expect(await isThere(`${other}/drop`)).toBe(true);
  });

  it('applies nothing when the file has a problem, even with no server at all', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { good: CALM, bad: { ...CALM, cron: '61 * * * *' } });
    const ended = await desk.run('apply', file);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain('schedules.bad.cron');
    expect(await isThere(`${owner}/good`)).toBe(false);
  });

  it('applies many schedules at once', async () => {
    const owner = desk.newOwner();
    const count = 6 * CALLS_AT_A_TIME;
    const many = Object.fromEntries(Array.from({ length: count }, (_item, index) => [`s${index}`, CALM]));
    const file = await desk.file(owner, many);
    const applied = await desk.apply(file);
    expect(applied.filter(({ result }) => result === 'created')).toHaveLength(count);
    expect((await desk.diff(file)).every(({ status }) => status === 'unchanged')).toBe(true);
  });
});

describe.concurrent('what somebody changed on the server', () => {
  it('is shown, keeps the whole file from being applied, and is overwritten if it is named', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { nightly: CALM, other: CALM }));
    await handleOf(`${owner}/nightly`).update((now) => ({
      ...now,
      spec: { ...now.spec, jitter: 60_000 },
      policies: { ...now.policies, catchupWindow: 86_400_000 },
    }));
    const file = await desk.file(owner, { nightly: CALM, other: { ...CALM, reason: 'new' } });
    expect(await desk.diff(file)).toMatchObject([
      {
        status: 'changed-by-hand',
        byHand: [
          { path: 'catchupWindowMs', from: 3_600_000, to: 86_400_000 },
          { path: 'jitterMs', from: 0, to: 60_000 },
        ],
      },
      { status: 'update' },
    ]);
    const refused = await runbookProcess(['schedule', 'apply', file], desk.env);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('jitterMs 0 → 60000');
    expect(refused.stderr).toContain('--overwrite nightly');
    expect((await handleOf(`${owner}/other`).describe()).action.args).not.toMatchObject([{ reason: 'new' }]);
    expect(await desk.run('apply', file, '--overwrite', 'nigthly')).toMatchObject({ exitCode: 2 });
    expect(await desk.apply(file, '--overwrite', 'nightly')).toMatchObject([
      { result: 'overwritten' },
      { result: 'updated' },
    ]);
    expect((await handleOf(`${owner}/nightly`).describe()).spec.jitter ?? 0).toBe(0);
    expect((await desk.diff(file)).map(({ status }) => status)).toEqual(['unchanged', 'unchanged']);
  });

  it('to a schedule that the file no longer has keeps it from being deleted', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { nightly: CALM }));
    await handleOf(`${owner}/nightly`).update((now) => ({ ...now, spec: { ...now.spec, jitter: 60_000 } }));
    await untilListed(`${owner}/nightly`);
    const file = await desk.file(owner, {});
    expect(await desk.diff(file)).toMatchObject([{ status: 'changed-by-hand' }]);
    expect(await desk.run('apply', file)).toMatchObject({ exitCode: 4 });
    expect(await desk.run('apply', file, '--overwrite', 'another/nightly')).toMatchObject({ exitCode: 2 });
    // By its whole id as well as by its name.
    expect(await desk.apply(file, '--overwrite', `${owner}/nightly`)).toMatchObject([{ result: 'deleted' }]);
  });

  it('by pausing is not a difference', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: CALM });
    await desk.apply(file);
    await handleOf(`${owner}/nightly`).pause('by hand');
    expect(await desk.diff(file)).toMatchObject([{ status: 'unchanged', paused: true }]);
  });

  it('by making a schedule of that id is foreign: shown, never touched', async () => {
    const owner = desk.newOwner();
    await temporal.client.schedule.create({
      scheduleId: `${owner}/nightly`,
      spec: {},
      action: { type: 'startWorkflow', workflowType: 'restart', taskQueue: temporal.taskQueue, args: [] },
    });
    const file = await desk.file(owner, { nightly: CALM, fresh: CALM });
    expect(await desk.diff(file)).toMatchObject([{ status: 'create' }, { status: 'foreign' }]);
    const refused = await desk.run('apply', file, '--overwrite', 'nightly');
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('was not created from a file');
    expect(await isThere(`${owner}/fresh`)).toBe(false);
    expect(await desk.run('pause', `${owner}/nightly`)).toMatchObject({ exitCode: 2 });
    const withoutIt = await desk.file(owner, { fresh: CALM });
    await until(async () => (await desk.diff(withoutIt)).length === 2, 100);
    expect(await desk.diff(withoutIt)).toMatchObject([{ status: 'create' }, { status: 'foreign' }]);
    expect(await desk.apply(withoutIt)).toMatchObject([{ result: 'created' }, { result: 'left-alone' }]);
    expect(await isThere(`${owner}/nightly`)).toBe(true);
  });
});

describe.concurrent('a change by other code whose payloads this SDK does not decode', () => {
  async function updateDetails(id: string, details: object): Promise<void> {
    const { raw } = await handleOf(id).describe();
    const action = raw.schedule?.action;
    await temporal.client.workflowService.updateSchedule({
      namespace: 'default',
      scheduleId: id,
      schedule: {
        ...raw.schedule,
        action: { startWorkflow: { ...action?.startWorkflow, userMetadata: { details } } },
      },
    });
  }

  it('is read if they are empty: no details', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: CALM });
    await desk.apply(file);
    await updateDetails(`${owner}/nightly`, {});
    expect(await desk.diff(file)).toMatchObject([{ status: 'changed-by-hand', byHand: [{ path: 'summary' }] }]);
    expect(await desk.apply(file, '--overwrite', 'nightly')).toMatchObject([{ result: 'overwritten' }]);
    expect(await desk.diff(file)).toMatchObject([{ status: 'unchanged' }]);
  });

  it('is reported for that schedule only: the others are shown and applied', async () => {
    const owner = desk.newOwner();
    const id = `${owner}/nightly`;
    await desk.apply(await desk.file(owner, { nightly: CALM }));
    await updateDetails(id, { metadata: { encoding: Buffer.from('odd') }, data: Buffer.from('x') });
    const file = await desk.file(owner, { nightly: CALM, other: CALM });
    expect(await desk.diff(file)).toMatchObject([
      { status: 'unreadable', reason: 'Unknown encoding: odd' },
      { status: 'create' },
    ]);
    const applied = await desk.run('apply', file);
    expect(applied.exitCode).toBe(1);
    expect(applied.stdout).toContain(`ScheduleUnreadable: ${id} cannot be read (Unknown encoding: odd)`);
    expect(await isThere(`${owner}/other`)).toBe(true);
    await untilListed(`${owner}/other`);
    expect(await desk.run('list', '--owner', owner)).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`${id}: cannot be read`) as string,
    });
    const next = await desk.run('next', file);
    expect(next).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${owner}/other`) as string });
    expect(next.stderr).toContain(`${id} cannot be read`);
  });
});

describe.concurrent('an interrupted apply', () => {
  it('leaves each schedule as it was or as in the file: the next has nothing to finish', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: CALM });
    expect(await applyAnd(die, file)).toMatchObject([{ result: 'failed' }]);
    expect((await handleOf(`${owner}/nightly`).describe()).state.paused).toBe(false);
    expect(await desk.diff(file)).toMatchObject([{ status: 'unchanged' }]);
    await handleOf(`${owner}/nightly`).pause('operators');
    const changed = await desk.file(owner, { nightly: { ...CALM, cron: '0 5 1 1 *' } });
    expect(await applyAnd(die, changed)).toMatchObject([{ result: 'failed' }]);
    expect(await desk.diff(changed)).toMatchObject([{ status: 'unchanged' }]);
    expect((await handleOf(`${owner}/nightly`).describe()).state).toMatchObject({ paused: true, note: 'operators' });
  });

  it('hides no later change by hand: neither the next apply nor a deletion overwrites it', async () => {
    const owner = desk.newOwner();
    const id = `${owner}/nightly`;
    const file = await desk.file(owner, { nightly: CALM });
    await applyAnd(die, file);
    await changeJitter(id)();
    expect(await desk.diff(file)).toMatchObject([{ status: 'changed-by-hand', byHand: [{ path: 'jitterMs' }] }]);
    expect(await desk.run('apply', file)).toMatchObject({ exitCode: 4 });
    await untilListed(id);
    const without = await desk.file(owner, {});
    expect(await desk.run('apply', without)).toMatchObject({ exitCode: 4 });
    expect((await handleOf(id).describe()).spec.jitter).toBe(60_000);
  });
});

describe.concurrent('a change by hand directly after the write of an apply', () => {
  it('is reported, kept, and shown as one, whether the apply created the schedule or changed it', async () => {
    const owner = desk.newOwner();
    const id = `${owner}/nightly`;
    for (const cron of ['0 4 1 1 *', '0 5 1 1 *']) {
      const file = await desk.file(owner, { nightly: { ...CALM, cron } });
      expect(await applyAnd(changeJitter(id), file)).toMatchObject([
        { result: 'failed', error: { kind: 'ScheduleChangedMeanwhile' } },
      ]);
      expect((await handleOf(id).describe()).spec.jitter).toBe(60_000);
      expect(await desk.diff(file)).toMatchObject([
        { status: 'changed-by-hand', changes: [], byHand: [{ path: 'jitterMs', from: 0, to: 60_000 }] },
      ]);
      expect(await desk.apply(file, '--overwrite', 'nightly')).toMatchObject([{ result: 'overwritten' }]);
    }
  });
});

describe.concurrent('a server that returns a schedule different from the one written', () => {
  it('shows it as changed by hand until it is overwritten once', async () => {
    const owner = desk.newOwner();
    const client = clientWith((server) => ({
      describeSchedule: (async (request: Parameters<typeof server.describeSchedule>[0]) => {
        const answer = await server.describeSchedule(request);
        if (answer.schedule?.policies) answer.schedule.policies.pauseOnFailure = true;
        return answer;
      }) as WorkflowService['describeSchedule'],
    }));
    const found = await read(await desk.file(owner, { nightly: CALM }));
    const compare = () => compareSchedules(client, found, temporal.taskQueue);
    const apply = async () => applyDifferences(client, await compare(), temporal.taskQueue);
    expect(await apply()).toMatchObject([{ result: 'failed' }]);
    expect(await compare()).toMatchObject([{ status: 'changed-by-hand', byHand: [{ path: 'pauseOnFailure' }] }]);
    expect(await apply()).toMatchObject([{ result: 'overwritten' }]);
    expect(await compare()).toMatchObject([{ status: 'unchanged' }]);
  });
});

describe.concurrent('two applies', () => {
  it('at once leave every schedule consistent, as one of the files defines it', async () => {
    const owner = desk.newOwner();
    const entries = (cron: string) =>
      Object.fromEntries(Array.from({ length: 12 }, (_item, index) => [`s${index}`, { ...CALM, cron }]));
    const files = await Promise.all(['0 4 1 1 *', '0 5 1 1 *'].map((cron) => desk.file(owner, entries(cron))));
    for (let round = 0; round < 2; round++) {
      await Promise.all(files.map((file) => desk.run('apply', file)));
      for (let index = 0; index < 12; index++) {
        const seen = await handleOf(`${owner}/s${index}`).describe();
        const ownership = ownershipOf(seen);
        const hour = seen.spec.calendars?.[0]?.hour[0]?.start;
        // The schedule always has the definition of the apply that wrote last.
        expect(ownership?.definition).toMatchObject({ cron: `0 ${hour} 1 1 *` });
      }
    }
    const last = files[1] ?? '';
    await desk.apply(last);
    expect((await desk.diff(last)).every(({ status }) => status === 'unchanged')).toBe(true);
  });

  it('one of them with an outdated comparison: that one fails, and writes nothing', async () => {
    const owner = desk.newOwner();
    const [mine, theirs] = await Promise.all(
      ['0 4 1 1 *', '0 5 1 1 *'].map((cron) => desk.file(owner, { nightly: { ...CALM, cron } })),
    );
    await desk.apply(await desk.file(owner, { nightly: CALM }));
    const seen = await compareSchedules(temporal.client, await read(mine ?? ''), temporal.taskQueue);
    await desk.apply(theirs ?? '');
    expect(await applyDifferences(temporal.client, seen, temporal.taskQueue)).toMatchObject([
      { result: 'failed', error: { kind: 'ScheduleChangedMeanwhile' } },
    ]);
    expect(await desk.diff(theirs ?? '')).toMatchObject([{ status: 'unchanged' }]);
  });
});

describe.concurrent('an unreachable server', () => {
  it('is reported with exit code 3', async () => {
    const file = await desk.file(desk.newOwner(), { nightly: CALM });
    const env = { ...desk.env, TEMPORAL_ADDRESS: '127.0.0.1:9' };
    const ended = await Promise.all(
      [['diff', file], ['apply', file], ['list'], ['next', file]].map((words) =>
        runbookProcess(['schedule', ...words], env),
      ),
    );
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([3, 3, 3, 3]);
  });
});
