/** Wire shapes: keys in both cases, what is absent, what is null, unlisted statuses, and shapes that are refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonBytes } from '../../../src/domain/text/json-bytes.js';
import { OBSERVATION_BYTES } from '../../../src/domain/sizes.js';
import {
  cloudJobPageFromWire,
  observationFromWire,
  SnapshotPage,
  TokenAnswer,
} from '../../../src/servicestage/wire.js';

const JOB = {
  JOB_ID: 'JOB474362ef-091d-429f-9b3e-c9246b37dee6',
  JOB_TYPE: 'DAILY_OPERATION',
  EXECUTION_STATUS: 'FAILED',
  SERVICE_INSTANCE_ID: 'inst-0001',
  ORDER_ID: '',
  CREATED_BY: 'user-0001',
};
const TASK = {
  TASK_ID: 'Task-1',
  TASK_INDEX: 4,
  TASK_NAME: 'SEPARATOR_BUILDING',
  TASK_STATUS: 'SKIPPED',
  MESSAGES: '{}',
  CREATED_AT: '2020-02-04T04:01:03.344Z',
};
const lower = (value: object) =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));

describe('a cloud job', () => {
  const expected = {
    job: {
      cloudJobId: JOB.JOB_ID,
      status: 'FAILED',
      jobType: 'DAILY_OPERATION',
      instanceId: 'inst-0001',
      createdBy: 'user-0001',
    },
    tasks: [
      {
        taskId: 'Task-1',
        name: 'SEPARATOR_BUILDING',
        status: 'SKIPPED',
        messages: '{}',
        createdAtMs: Date.UTC(2020, 1, 4, 4, 1, 3, 344),
      },
    ],
    taskCount: 21,
  };

  it.each([
    ['upper case as V2 documents them', { task_count: 21, job: JOB, tasks: [TASK] }],
    ['lower case as V3 sends them', { task_count: 21, job: lower(JOB), tasks: [lower(TASK)] }],
    ['mixed case', { task_count: 21, job: JOB, tasks: [lower(TASK)] }],
  ])('is read from keys in %s', (_name, body) => {
    expect(cloudJobPageFromWire(body)).toEqual(expected);
  });

  it.each(['ROLLBACKING', 'SOMETHING_NEW', 'UNKNOWN'])('keeps the status %s as it is', (status) => {
    const body = { task_count: 0, job: { ...JOB, EXECUTION_STATUS: status }, tasks: [] };
    expect(cloudJobPageFromWire(body).job.status).toBe(status);
  });

  it.each([
    ['tasks are absent', {}],
    ['tasks are null', { tasks: null, task_count: null }],
  ])('is read when %s', (_name, rest) => {
    const page = cloudJobPageFromWire({ job: { JOB_ID: 'JOB1', EXECUTION_STATUS: 'SUBMITTED' }, ...rest });
    expect(page).toEqual({
      job: { cloudJobId: 'JOB1', status: 'SUBMITTED', jobType: null, instanceId: null, createdBy: null },
      tasks: [],
      taskCount: null,
    });
  });

  it('has no time for a task whose time cannot be read', () => {
    const body = { task_count: 1, job: JOB, tasks: [{ TASK_STATUS: 'RUNNING', CREATED_AT: 'yesterday' }] };
    expect(cloudJobPageFromWire(body).tasks).toEqual([
      { taskId: '', name: '', status: 'RUNNING', messages: '', createdAtMs: null },
    ]);
  });

  it.each([
    ['no body', undefined],
    ['no job', { task_count: 0, tasks: [] }],
    ['a job without status', { job: { JOB_ID: 'JOB1' } }],
    ['a job without id', { job: { EXECUTION_STATUS: 'RUNNING' } }],
    ['tasks that are not a list', { job: JOB, tasks: {} }],
    ['a task without status', { job: JOB, tasks: [{ TASK_ID: 'Task-1' }] }],
  ])('is refused with %s', (_name, body) => {
    expect(() => cloudJobPageFromWire(body)).toThrow(/invalid/i);
  });
});

describe('an instance', () => {
  it('is read with everything the reference documents', () => {
    const body = {
      id: 'inst-0001',
      version: '1.4.0',
      refer_resources: [
        { id: 'vpc', type: 'vpc', parameters: null },
        { id: 'ecs', type: 'ecs', parameters: { hosts: ['ecs-1', 'ecs-2'] } },
      ],
      status_detail: {
        status: 'PARTIALLY_FAILED',
        replica: 4,
        available_replica: 3,
        fail_detail: 'resource_deleted',
        last_job_id: 'JOB1',
        last_job_status: 'SUCCEEDED',
      },
    };
    expect(observationFromWire(body, 7)).toEqual({
      observedAtMs: 7,
      status: 'PARTIALLY_FAILED',
      version: '1.4.0',
      replicaCount: 4,
      availableReplicaCount: 3,
      hosts: ['ecs-1', 'ecs-2'],
      lastJobId: 'JOB1',
      lastJobStatus: 'SUCCEEDED',
      failDetail: 'resource_deleted',
    });
  });

  it.each([
    ['absent', { status_detail: { status: 'GRAYING' } }],
    [
      'null',
      {
        version: null,
        refer_resources: null,
        status_detail: {
          status: 'GRAYING',
          replica: null,
          available_replica: null,
          fail_detail: null,
          last_job_id: null,
          last_job_status: null,
        },
      },
    ],
    [
      'empty',
      {
        version: '',
        refer_resources: [],
        status_detail: { status: 'GRAYING', fail_detail: '', last_job_id: '', last_job_status: '' },
      },
    ],
  ])('has null for what is %s', (_name, body) => {
    expect(observationFromWire(body, 7)).toEqual({
      observedAtMs: 7,
      status: 'GRAYING',
      version: null,
      replicaCount: null,
      availableReplicaCount: null,
      hosts: null,
      lastJobId: null,
      lastJobStatus: null,
      failDetail: null,
    });
  });

  it.each([
    ['no body', undefined],
    ['no status_detail', { id: 'inst-0001' }],
    ['a status that is not text', { status_detail: { status: 3 } }],
    ['a replica that is a text', { status_detail: { status: 'RUNNING', replica: '4' } }],
  ])('is refused with %s', (_name, body) => {
    expect(() => observationFromWire(body, 7)).toThrow(/invalid/i);
  });
});

it('a snapshot page is read with null and without rows', () => {
  expect(SnapshotPage.parse({ snapshots: null, count: null })).toEqual({ snapshots: null, count: null });
  expect(SnapshotPage.parse({})).toEqual({});
});

it('a token answer is read without its catalogue', () => {
  const body = { token: { expires_at: '2020-01-04T09:05:22.701000Z', user: { id: 'user-0001', name: 'operator' } } };
  expect(TokenAnswer.parse(body).token.user).toEqual({ id: 'user-0001' });
});

describe('an observation at its largest', () => {
  /** Characters that are long in UTF-8, and those that are long as JSON. */
  const longText = fc
    .tuple(fc.constantFrom('x', '警', '🔥', '\u0001', '"', '\\', '\ud83d'), fc.integer({ min: 0, max: 3_000 }))
    .map(([character, times]) => character.repeat(times));
  const oneId = fc.integer({ min: 1, max: 128 }).map((length) => 'J'.repeat(length));
  const hosts = fc.tuple(fc.integer({ min: 0, max: 700 }), oneId).map(([count, id]) => Array<string>(count).fill(id));
  const count = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }));

  it('is no longer than what sizes are computed with, or is refused with the figure', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.record({ version: longText, status: longText, fail_detail: longText, last_job_status: longText }),
        fc.array(hosts, { maxLength: 4 }),
        oneId,
        fc.tuple(count, count),
        ({ version, ...texts }, lists, last_job_id, [replica, available_replica]) => {
          const body = {
            version,
            refer_resources: lists.map((some) => ({ parameters: { hosts: some } })),
            status_detail: { ...texts, last_job_id, replica, available_replica },
          };
          const all = lists.flat();
          try {
            const seen = observationFromWire(body, 4_102_444_800_000);
            accepted++;
            expect(jsonBytes(seen)).toBeLessThanOrEqual(OBSERVATION_BYTES);
            expect(seen.hosts ?? []).toEqual(all);
          } catch (error) {
            expect(String(error)).toContain(`${all.length} hosts of ${jsonBytes(all)} bytes in all`);
          }
        },
      ),
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('may have 340 hosts', () => {
    const all = Array.from({ length: 340 }, (_, index) => `${index}`.padStart(36, '0'));
    const body = { refer_resources: [{ parameters: { hosts: all } }], status_detail: { status: 'RUNNING' } };
    expect(observationFromWire(body, 0).hosts).toEqual(all);
  });
});
