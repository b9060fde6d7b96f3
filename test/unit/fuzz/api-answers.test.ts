/** Any answer of the API becomes a documented value or a documented error, and never an invented success. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FAILURES } from '../../../src/domain/failures.js';
import { shortened } from '../../../src/domain/text/json-bytes.js';
import { cloudJobPhase } from '../../../src/domain/target/cloud-job.js';
import { failureNameOf, toFailure } from '../../../src/activities/to-failure.js';
import { errorFromAnswer, errorWithoutAnswer, type Asked } from '../../../src/servicestage/classify-answer.js';
import { ServiceStageError } from '../../../src/servicestage/errors.js';
import {
  ActionAnswer,
  ApplicationPage,
  cloudJobPageFromWire,
  CredentialAnswer,
  InstancePage,
  observationFromWire,
  SnapshotPage,
  TokenAnswer,
} from '../../../src/servicestage/wire.js';

type Json = Record<string, unknown>;
type Place = readonly (string | number)[];

const INSTANCE = {
  version: '1.4.1',
  refer_resources: [{ parameters: { hosts: ['ecs-1'] } }],
  status_detail: {
    status: 'RUNNING',
    replica: 2,
    available_replica: 2,
    fail_detail: null,
    last_job_id: 'JOB-0',
    last_job_status: 'SUCCEEDED',
  },
};
const CLOUD_JOB = {
  task_count: 1,
  job: {
    JOB_ID: 'JOB-1',
    EXECUTION_STATUS: 'SUCCEEDED',
    JOB_TYPE: 'DAILY_OPERATION',
    SERVICE_INSTANCE_ID: 'inst-1',
    CREATED_BY: 'us',
  },
  tasks: [
    { TASK_ID: 't', TASK_NAME: 'n', TASK_STATUS: 'SUCCEEDED', MESSAGES: '{}', CREATED_AT: '2026-01-01T00:00:00Z' },
  ],
};
const NAMED = { id: 'i', name: 'n', platform_type: 'cce' };

/** A reader of answers with a body it accepts. */
const READERS: readonly { name: string; valid: Json; read: (body: unknown) => unknown }[] = [
  { name: 'an instance', valid: INSTANCE, read: (body) => observationFromWire(body, 1) },
  { name: 'a cloud job', valid: CLOUD_JOB, read: cloudJobPageFromWire },
  {
    name: 'snapshots',
    valid: { count: 1, snapshots: [{ version: '1', description: '', create_time: 1 }] },
    read: (body) => SnapshotPage.parse(body),
  },
  { name: 'applications', valid: { count: 1, applications: [NAMED] }, read: (body) => ApplicationPage.parse(body) },
  { name: 'instances', valid: { count: 1, instances: [NAMED] }, read: (body) => InstancePage.parse(body) },
  { name: 'an action', valid: { job_id: 'JOB-1' }, read: (body) => ActionAnswer.parse(body) },
  {
    name: 'a token',
    valid: { token: { expires_at: '2026-01-01T00:00:00Z', user: { id: 'u' } } },
    read: (body) => TokenAnswer.parse(body),
  },
  { name: 'a credential', valid: { credential: { user_id: 'u' } }, read: (body) => CredentialAnswer.parse(body) },
];

const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, '', 0, -1, 1e308, [], {}, [null], true, 'x'.repeat(5_000), '\ud800', '😀'),
);

function placesIn(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => {
    const at = [...place, Array.isArray(value) ? Number(key) : key];
    return [at, ...placesIn((value as Json)[key], at)];
  });
}

/** A copy with one key removed, in another case, or with another value. */
function damaged(valid: Json, place: Place, kind: 'remove' | 'case' | 'replace', value: unknown): Json {
  const root = structuredClone(valid);
  const parent = place.slice(0, -1).reduce<Json>((at, key) => at[key] as Json, root);
  const key = String(place.at(-1));
  const before = parent[key];
  if (kind === 'replace') parent[key] = value;
  else delete parent[key];
  if (kind === 'case') parent[key === key.toUpperCase() ? key.toLowerCase() : key.toUpperCase()] = before;
  return root;
}

function damagedBody(valid: Json): fc.Arbitrary<Json> {
  const part = fc.tuple(
    fc.constantFrom(...placesIn(valid)),
    fc.constantFrom('remove' as const, 'case' as const, 'replace' as const),
    anyValue,
  );
  return part.map(([place, kind, value]) => damaged(valid, place, kind, value));
}

/** The value, or `null` for a body that zod refused; any other error fails the test. */
function readOrRefuse(read: (body: unknown) => unknown, body: unknown): unknown {
  try {
    return read(body);
  } catch (error) {
    expect(error).toBeInstanceOf(z.ZodError);
    return null;
  }
}

describe.each(READERS)('the reader of $name', ({ valid, read }) => {
  it('reads what is documented', () => {
    expect(readOrRefuse(read, valid)).not.toBeNull();
  });

  it('reads or refuses any body', () => {
    fc.assert(
      fc.property(fc.oneof(anyValue, fc.constant(undefined)), (body) => void readOrRefuse(read, body)),
      { numRuns: 300 },
    );
  });

  it('reads or refuses a body that is damaged at one place', () => {
    fc.assert(
      fc.property(damagedBody(valid), (body) => void readOrRefuse(read, body)),
      { numRuns: 300 },
    );
  });
});

describe('a success', () => {
  it('of an action is only an answer with the id of a cloud job', () => {
    fc.assert(
      fc.property(fc.oneof(anyValue, damagedBody({ job_id: 'JOB-1' })), (body) => {
        const parsed = ActionAnswer.safeParse(body);
        if (!parsed.success) return;
        expect(parsed.data.job_id).toBe((body as Json)['job_id']);
        expect(parsed.data.job_id).not.toBe('');
      }),
    );
  });

  it('of a cloud job is only the status that the API gave it', () => {
    fc.assert(
      fc.property(damagedBody(CLOUD_JOB), (body) => {
        const page = readOrRefuse(cloudJobPageFromWire, body) as ReturnType<typeof cloudJobPageFromWire> | null;
        if (page === null || cloudJobPhase(page.job.status) !== 'succeeded') return;
        const { job } = body as { job: Json };
        expect([job['EXECUTION_STATUS'], job['execution_status']]).toContain('SUCCEEDED');
      }),
      { numRuns: 300 },
    );
  });

  it('of an instance is only the state that the API gave it', () => {
    fc.assert(
      fc.property(damagedBody(INSTANCE), (body) => {
        const seen = readOrRefuse((given) => observationFromWire(given, 1), body) as ReturnType<
          typeof observationFromWire
        > | null;
        if (seen === null) return;
        const detail = (body as { status_detail: Json }).status_detail;
        expect(seen.status).toBe(shortened(String(detail['status']), 64));
        expect(seen.replicaCount).toBe(detail['replica'] ?? null);
        expect(seen.availableReplicaCount).toBe(detail['available_replica'] ?? null);
      }),
      { numRuns: 300 },
    );
  });
});

const asked = fc.record({ method: fc.constantFrom('GET' as const, 'POST' as const), path: fc.constant('/v2/p/cas') });
const status = fc.integer({ min: 300, max: 599 });
const headerText = fc.oneof(
  fc.constantFrom('', '0', '1', '0.5', '-1', '1e3', '1e9', '1e308', 'NaN', 'Infinity', '0x10', '2147484'),
  fc.constantFrom('Wed, 21 Oct 2026 07:28:00 GMT', '99999999999999999999', ' 5 ', '5, 6', 'soon'),
  fc.string({ maxLength: 10 }),
);
const headers = fc.record(
  { 'retry-after': fc.oneof(headerText, fc.array(headerText, { maxLength: 2 })), 'x-request-id': headerText },
  { requiredKeys: [] },
);
const errorShape = fc.record(
  {
    error_code: fc.oneof(anyValue, fc.constantFrom('APIGW.0308', 'APIG.0201', 'SVCSTG.00100401', 'APIGW.0307')),
    error_msg: fc.oneof(anyValue, fc.constantFrom('time:9999999999 hour', 'time:1 second', 'token expired')),
    error: anyValue,
    message: anyValue,
    request_id: anyValue,
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  errorShape.map((value) => JSON.stringify(value)),
  fc.array(errorShape, { maxLength: 2 }).map((value) => JSON.stringify(value)),
  anyValue.map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', '<html>', '<html>Bad gateway</html>', '{', '[', 'null', '[[]]', '😀'.repeat(400)),
  fc.nat({ max: 300 }).map((length) => JSON.stringify({ error_msg: `${'x'.repeat(length)}${'😀'.repeat(100)}` })),
);

/** The longest pause that one answer may impose on a worker. Chosen: windows of hours are documented, and a timer counts 24 days. */
const LONGEST_PAUSE_MS = 86_400_000;

function isDocumented(error: ServiceStageError, { method }: Asked): void {
  expect(error).toBeInstanceOf(ServiceStageError);
  expect(Object.keys(FAILURES)).toContain(failureNameOf(error));
  expect(error.message.trim()).not.toBe('');
  expect(error.message.length).toBeLessThan(2_000);
  // Only a POST can be unclear.
  if (method === 'GET') expect(error.sent).not.toBe('unknown');
  if (error.code === 'Unanswered') expect(method).toBe('POST');
}

describe('an answer other than success', () => {
  const answer = fc.record({ httpStatus: status, headers, body });

  it('is a documented error', () => {
    fc.assert(
      fc.property(asked, answer, (question, given) => isDocumented(errorFromAnswer(question, given), question)),
      { numRuns: 300 },
    );
  });

  it('to a POST proves that nothing was sent only as the tables define', () => {
    fc.assert(
      fc.property(asked, answer, (question, given) => {
        const { sent, vendorCode, httpStatus } = errorFromAnswer(question, given);
        if (question.method === 'GET' || sent === 'unknown') return;
        const gateway = /^APIGW?\.\d{4}$/.test(vendorCode ?? '');
        // A gateway's own code proves it at any status; ServiceStage itself refuses with 4xx only.
        expect(gateway || ((httpStatus ?? 0) >= 400 && (httpStatus ?? 0) < 500)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is a failure of the table, with a delay that Temporal can count', () => {
    fc.assert(
      fc.property(asked, answer, (question, given) => {
        expect(toFailure(errorFromAnswer(question, given))).toMatchObject({ type: expect.stringMatching(/^[A-Z]/) });
      }),
      { numRuns: 300 },
    );
  });

  it('never pauses a worker for longer than a day', () => {
    fc.assert(
      fc.property(headers, body, (some, text) => {
        const question: Asked = { method: 'GET', path: '/' };
        const { retryAfterMs } = errorFromAnswer(question, { httpStatus: 429, headers: some, body: text });
        expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        expect(retryAfterMs).toBeLessThanOrEqual(LONGEST_PAUSE_MS);
      }),
      { numRuns: 300 },
    );
  });
});

describe('no answer', () => {
  it('to a read, or before the connection was open, proves that nothing was sent; any other does not', () => {
    fc.assert(
      fc.property(asked, fc.boolean(), fc.string({ minLength: 1 }), (question, reached, reason) => {
        const error = errorWithoutAnswer(question, reached, reason);
        isDocumented(error, question);
        expect(error.sent).toBe(question.method === 'POST' && reached ? 'unknown' : 'no');
      }),
    );
  });
});
