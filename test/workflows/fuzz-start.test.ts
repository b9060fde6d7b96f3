/**
 * Generated start arguments against a real server: refused at once with a name and a report, no failed workflow task,
 * nothing sent.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFailureName } from '../../src/domain/failures.js';
import type { RunReport } from '../../src/domain/report/report.js';
import { LEASE_PREFIX } from '../../src/domain/target/target.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

/** Fixed, so that a case that fails can be run again; every complaint names it. */
const SEED = 20261125;
const sample = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns: number): Value[] =>
  fc.sample(arbitrary, { seed: SEED, numRuns });

const temporal = useTemporal();
let stack: Stack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuzz-start-'));
  // It only waits: a run that is not refused takes a lease and touches nothing.
  const only =
    "name: only-wait\ntitle: t\ninputs: { pause: { type: duration } }\nsteps: [{ wait: '${{ inputs.pause }}' }]\n";
  await writeFile(join(folder, 'only-wait.yaml'), only);
  stack = await startStack(temporal, { runbookDirectories: [folder] });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  // No action was sent, whatever was given.
  expect(await stack.control.accepted()).toEqual([]);
  await stack.close();
});

interface Payload {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly data: Uint8Array;
}

interface Start {
  /** Printed if the test fails. */
  readonly what: string;
  readonly type: string;
  readonly id?: string;
  readonly payloads: readonly Payload[];
}

const payload = (encoding: string, data: string | Uint8Array): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});
const json = (value: unknown): Payload => payload('json/plain', JSON.stringify(value) ?? 'null');

function given(value: unknown, type = 'stop'): Start {
  return { what: `${type} ${JSON.stringify(value)?.slice(0, 200)}`, type, payloads: [json(value)] };
}

/** Bypasses the client's own converter, as another language or a broken program would. */
async function start({ type, id, payloads }: Start): Promise<string> {
  const workflowId = id ?? `fuzz-${randomUUID()}`;
  await temporal.client.workflowService.startWorkflowExecution({
    namespace: 'default',
    workflowId,
    workflowType: { name: type },
    taskQueue: { name: temporal.taskQueue },
    input: { payloads: payloads.map(({ metadata, data }) => ({ metadata, data })) },
    requestId: randomUUID(),
  });
  return workflowId;
}

interface Ended {
  readonly status: string;
  readonly report: RunReport | undefined;
  readonly taskFailure: string | null;
  /** Type of the failure it closed with. */
  readonly failureType: string | null;
}

/** Waits until it has closed, has begun a target, or failed a workflow task, which would be retried for ever. */
async function untilEnded(workflowId: string): Promise<Ended> {
  const handle = temporal.client.workflow.getHandle(workflowId);
  for (;;) {
    const { status, memo } = await handle.describe();
    const events = (await handle.fetchHistory()).events ?? [];
    const child = events.find((event) => event.childWorkflowExecutionStartedEventAttributes);
    const lease = child?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
    // A refused run starts no child, so this one passed a check that should have refused it.
    if (typeof lease === 'string') return { status: 'begun', report: undefined, taskFailure: null, failureType: null };
    const failedTask = events.find((event) => event.workflowTaskFailedEventAttributes);
    const taskFailure =
      failedTask === undefined
        ? null
        : (failedTask.workflowTaskFailedEventAttributes?.failure?.message ?? 'no message');
    if (status.name !== 'RUNNING' || taskFailure !== null) {
      const failure = events.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
      const failureType = failure?.applicationFailureInfo?.type ?? null;
      return { status: status.name, report: memo?.['report'] as RunReport | undefined, taskFailure, failureType };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What is wrong with how the run ended; empty if it was refused with a name and a report. */
function complaints({ status, report, taskFailure, failureType }: Ended): string[] {
  if (taskFailure !== null) return [`a workflow task failed: ${taskFailure.slice(0, 300)}`];
  const wrong: string[] = [];
  if (status !== 'FAILED') wrong.push(`it closed ${status}`);
  if (report === undefined) return [...wrong, 'it left no report'];
  if (report.outcome !== 'refused' || failureType !== 'refused')
    wrong.push(`it ended ${report.outcome} ${failureType}`);
  if (!isFailureName(report.failure?.name)) wrong.push(`its failure is called ${report.failure?.name}`);
  if (!['InvalidPlan', 'UnknownRunbook', 'InvalidStart'].includes(report.failure?.name ?? ''))
    wrong.push(`${report.failure?.name} blames somebody else: ${report.failure?.message.slice(0, 200)}`);
  if ((report.failure?.message ?? '').trim() === '' || report.failure?.advice === '')
    wrong.push('no message or advice');
  return wrong;
}

/** Side by side; all that went wrong at once, each with the seed it came from. */
async function allAreRefused(starts: readonly Start[]): Promise<void> {
  const found = await Promise.all(
    starts.map(async (each) => {
      const workflowId = await start(each);
      const wrong = complaints(await untilEnded(workflowId));
      if (wrong.length > 0)
        await temporal.client.workflow
          .getHandle(workflowId)
          .terminate('a test')
          .catch(() => {});
      return wrong.map((what) => `seed ${SEED}: ${each.what}: ${what}`);
    }),
  );
  expect(found.flat()).toEqual([]);
}

const ODD_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', ''];
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    -0,
    1e308,
    2 ** 53,
    '',
    [],
    {},
    true,
    '007',
    '5m',
    '\ud800',
    '\u0000',
    '😀'.repeat(60),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
/** Never an existing instance: no generated action may be carried out. */
const targets = fc.oneof(
  odd,
  fc.array(fc.oneof(fc.constantFrom('a/b/c', 'shop/checkout/nowhere', '//', 'a/b'), odd), { maxLength: 3 }),
);
const nearly = fc.record(
  {
    targets,
    inputs: fc.oneof(odd, fc.dictionary(fc.constantFrom('version', 'replica', ...ODD_NAMES), odd, { maxKeys: 3 })),
    requestedBy: odd,
    reason: odd,
    dryRun: fc.oneof(odd, fc.boolean()),
    window: odd,
  },
  { requiredKeys: [] },
);
const RUNBOOKS = ['stop', 'recover', 'scale', 'restart', 'health-check'] as const;

describe('start arguments that are generated', () => {
  it('are refused with a name and a report', async () => {
    const starts = fc.tuple(
      fc.constantFrom(...RUNBOOKS),
      fc.oneof({ arbitrary: nearly, weight: 3 }, { arbitrary: odd, weight: 1 }),
    );
    await allAreRefused(sample(starts, 40).map(([type, value]) => given(value, type)));
  });

  it('are refused when there are none, or several', async () => {
    const one = { targets: ['a/b/c'] };
    await allAreRefused([
      { what: 'no arguments', type: 'stop', payloads: [] },
      { what: 'two arguments', type: 'stop', payloads: [json(one), json(one)] },
      { what: 'nothing first', type: 'stop', payloads: [payload('binary/null', ''), json(one)] },
      { what: 'text first', type: 'stop', payloads: [json('a/b/c'), json(one)] },
    ]);
  });
});

describe('a payload', () => {
  it('of another encoding than JSON is refused', async () => {
    await allAreRefused([
      { what: 'binary/null', type: 'stop', payloads: [payload('binary/null', '')] },
      { what: 'binary/plain', type: 'stop', payloads: [payload('binary/plain', '{"targets": ["a/b/c"]}')] },
      { what: 'many bytes', type: 'stop', payloads: [payload('binary/plain', new Uint8Array(200_000))] },
    ]);
  });

  it('that cannot be read is refused, not retried for ever', async () => {
    const bytes = sample(fc.uint8Array({ minLength: 1, maxLength: 40 }), 3);
    await allAreRefused([
      { what: 'JSON that breaks off', type: 'stop', payloads: [payload('json/plain', '{"targets": [')] },
      {
        what: 'deep JSON',
        type: 'stop',
        payloads: [payload('json/plain', `${'['.repeat(50_000)}${']'.repeat(50_000)}`)],
      },
      { what: 'deeper JSON', type: 'stop', payloads: [payload('json/plain', '{"targets":'.repeat(150_000))] },
      { what: 'no JSON at all', type: 'stop', payloads: [payload('json/plain', '')] },
      { what: 'an unknown encoding', type: 'stop', payloads: [payload('fuzz/none', '{}')] },
      { what: 'an encrypted one', type: 'stop', payloads: [payload('binary/encrypted', 'xxxx')] },
      { what: 'a protobuf', type: 'stop', payloads: [payload('json/protobuf', '{}')] },
      { what: 'no encoding', type: 'stop', payloads: [{ metadata: {}, data: Buffer.from('{}') }] },
      ...bytes.map((data) => ({ what: `bytes ${data.join()}`, type: 'stop', payloads: [payload('json/plain', data)] })),
    ]);
  });
});

describe('start arguments as large as the server takes them', () => {
  const long = 'x'.repeat(900_000);
  it.each([
    ['a long target', { targets: [`a/b/${long}`] }],
    ['a long target twice', { targets: [long, long] }],
    ['a long key', { targets: ['a/b/c'], [long]: 1 }],
    ['a long input', { targets: ['a/b/c'], inputs: { [long]: 1 } }],
    ['many keys', Object.fromEntries(Array.from({ length: 60_000 }, (_item, index) => [`key${index}`, 1]))],
    ['many targets', { targets: Array.from({ length: 50_000 }, (_item, index) => `a/b/${index}`) }],
    ['many wrong targets', { targets: Array.from({ length: 100_000 }, () => 7) }],
    ['deep nesting', JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`) as unknown],
  ])('(%s) are refused in few words', async (_case, value) => {
    await allAreRefused([given(value, 'recover')]);
  });
});

describe('a text that is not valid UTF-16', () => {
  it('is refused like any other, in whatever field', async () => {
    const broken = 'a\ud800';
    await allAreRefused([
      given({ targets: [broken] }),
      given({ targets: [`${broken}/b/c`] }),
      given({ targets: ['a/b/c'], [broken]: 1 }),
      given(
        { targets: ['a/b/c'], inputs: { version: `${'x'.repeat(99)}😀`, replica: `${'x'.repeat(99)}😀` } },
        'scale',
      ),
      given(broken),
    ]);
  });
});

describe('an input that is a duration', () => {
  it.each(['1000000d', '99999999999999999999d', `${'9'.repeat(400)}s`])(
    '(%s) is refused if no clock can count it',
    async (pause) => {
      const { path } = await stack.newInstance();
      await allAreRefused([given({ targets: [path], inputs: { pause } }, 'only-wait')]);
    },
  );
});

describe('a workflow type', () => {
  it('that is not a runbook is refused, with the known ones', async () => {
    const generated = sample(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), 10);
    const types = [...ODD_NAMES.filter((name) => name !== ''), ...generated].concat(
      ...['default', 'run', '__esModule', '__stack_trace', '__temporal_fuzz', '../stop', 'stop.yaml', 'STOP', ' stop'],
    );
    await allAreRefused(types.map((type) => given({ targets: ['a/b/c'] }, type)));
  });

  it('targetRun is refused without a run, whatever it is given', async () => {
    const values = [
      ...sample(odd, 6),
      null,
      {},
      { targetPlan: {} },
      { targetPlan: { target: { projectId: 'p', instanceId: 'i' } } },
    ];
    const found = await Promise.all(
      values.map(async (value) => {
        const id = `${LEASE_PREFIX}p/${randomUUID()}`;
        const { status, taskFailure, failureType } = await untilEnded(
          await start({ ...given(value, 'targetRun'), id }),
        );
        return `${status} ${failureType} ${taskFailure}`;
      }),
    );
    expect(new Set(found)).toEqual(new Set(['FAILED InvalidStart null']));
  });
});

describe('a workflow id', () => {
  it('that is a lease, or begins like one, is refused; any other is accepted', async () => {
    const ids = [`${LEASE_PREFIX}p/i-${randomUUID()}`, `${LEASE_PREFIX}${randomUUID()}`];
    const names = sample(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), 6);
    await allAreRefused([
      ...ids.map((id) => ({ ...given({ targets: ['a/b/c'] }), id })),
      ...names.map((name) => ({ ...given({ targets: ['a/b/c'] }), id: `${name}-${randomUUID()}` })),
    ]);
  });
});
