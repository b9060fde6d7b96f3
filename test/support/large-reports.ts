/** Generates plans, reports and texts of every size and script, to test what Temporal can store. */
import fc from 'fast-check';
import { evidenceOf, MOST_OF_CHECK, type CheckEvidence, type HttpCheck } from '../../src/domain/checks/check.js';
import type { Action } from '../../src/domain/target/actions.js';
import { failureRecord, type FailureName } from '../../src/domain/failures.js';
import type { Plan, PlannedStep, TargetPlan } from '../../src/domain/plan/plan.js';
import {
  OUTCOMES,
  type GateReport,
  type RemainingEffect,
  type RunReport,
  type StepReport,
  type TargetReport,
} from '../../src/domain/report/report.js';
import { leaseId, type Observation } from '../../src/domain/target/target.js';
import { aTarget, defaultLimits } from './build.js';

/** One character repeated, so that megabytes are generated fast: one to four bytes each, or six as JSON. */
export const textOf = (maxLength: number) =>
  fc
    .tuple(fc.constantFrom('a', '"', 'é', '警', '𝒜', '\u0001', '\ud800'), fc.integer({ min: 0, max: maxLength }))
    .map(([character, length]) => character.repeat(length));
const mostlyShort = (maxLength: number) =>
  fc.oneof({ weight: 9, arbitrary: textOf(40) }, { weight: 1, arbitrary: textOf(maxLength) });
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

const hosts = orNull(fc.array(mostlyShort(500), { maxLength: 40 }));
export const anyObservation: fc.Arbitrary<Observation> = fc.record({
  observedAtMs: time,
  status: mostlyShort(300),
  version: orNull(mostlyShort(300)),
  replicaCount: orNull(fc.nat()),
  availableReplicaCount: orNull(fc.nat()),
  hosts,
  lastJobId: orNull(mostlyShort(300)),
  lastJobStatus: orNull(mostlyShort(300)),
  failDetail: orNull(mostlyShort(60_000)),
});

export const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom<Action>({ action: 'start' }, { action: 'stop' }, { action: 'restart' }),
  mostlyShort(5_000).map((version): Action => ({ action: 'rollback', version })),
  fc.tuple(fc.nat(), hosts).map(([replica, list]): Action => ({
    action: 'scale',
    replica,
    ...(list === null ? {} : { hosts: list }),
  })),
);

const failureName = fc.constantFrom<FailureName>('CloudJobFailed', 'Indeterminate', 'NotConverged', 'ChangeFreeze');
const failure = fc.tuple(failureName, mostlyShort(60_000)).map(([name, message]) => failureRecord(name, message));
const note = fc.option(mostlyShort(300), { nil: undefined });
const trail = fc.array(
  fc
    .record({ attempt: fc.nat(), atMs: time, decision: fc.constantFrom('entered', 'sent', 'unanswered'), note })
    .map(({ note: text, ...entry }) => ({ ...entry, ...(text === undefined ? {} : { note: text }) })),
  { maxLength: 12 },
);

const anyCheck: fc.Arbitrary<HttpCheck> = fc.record({
  url: mostlyShort(MOST_OF_CHECK.url),
  status: fc.integer({ min: 100, max: 599 }),
  header: fc.dictionary(textOf(100), mostlyShort(MOST_OF_CHECK.value), { maxKeys: MOST_OF_CHECK.headers }),
  json: fc.array(fc.record({ path: textOf(100), equals: mostlyShort(MOST_OF_CHECK.value) }), {
    maxLength: MOST_OF_CHECK.paths,
  }),
  text: orNull(mostlyShort(MOST_OF_CHECK.value)),
  withinMs: fc.nat(),
  stableMs: fc.nat(),
  timeoutMs: fc.nat(),
});

/** Evidence of the whole answer that a check may read. */
const anyEvidence: fc.Arbitrary<CheckEvidence> = fc
  .tuple(anyCheck, textOf(64 * 1024), fc.array(textOf(5_000), { maxLength: 30 }))
  .map(([check, body, unmet]) => {
    const answer = { kind: 'answered', status: 503, headers: check.header, body, isCut: true, address: '::1' } as const;
    return evidenceOf(check, answer, unmet, { requests: 1_000_000, atMs: 4_102_444_800_000, heldMs: 0 });
  });

const anyStep: fc.Arbitrary<StepReport> = fc
  .record({
    id: fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 63 }),
    action: orNull(anyAction),
    result: fc.constantFrom('succeeded', 'skipped', 'failed', 'indeterminate', 'cancelled'),
    sent: fc.constantFrom('no', 'yes', 'unknown'),
    cloudJobId: orNull(mostlyShort(300)),
    startedAtMs: time,
    endedAtMs: time,
    before: orNull(anyObservation),
    after: orNull(anyObservation),
    attempts: fc.nat(),
    trail,
    failure: fc.option(failure, { nil: undefined }),
    check: fc.option(anyEvidence, { nil: undefined, freq: 3 }),
  })
  .map(({ failure: failed, check, ...step }) => ({
    ...step,
    ...(failed === undefined ? {} : { failure: failed }),
    ...(check === undefined ? {} : { check }),
  }));

const effect: fc.Arbitrary<RemainingEffect> = fc.record({
  stepId: textOf(63),
  action: anyAction,
  why: mostlyShort(20_000),
  kind: fc.constantFrom('irreversible', 'declaredNone', 'notUndone'),
});

export const anyTargetReport = (mostSteps: number): fc.Arbitrary<TargetReport> =>
  fc
    .record({
      path: mostlyShort(200).map((text) => `a/b/${text}`),
      instanceId: mostlyShort(60),
      outcome: fc.constantFrom(...OUTCOMES),
      steps: fc.array(anyStep, { maxLength: mostSteps, size: 'max' }),
      notReached: fc.array(textOf(63), { maxLength: mostSteps }),
      compensations: fc.array(anyStep, { maxLength: Math.ceil(mostSteps / 2) }),
      remaining: fc.array(effect, { maxLength: 3 }),
      captured: orNull(anyObservation),
      lastSeen: orNull(anyObservation),
      failure: fc.option(failure, { nil: undefined }),
      childRunId: fc.option(fc.uuid(), { nil: undefined }),
    })
    .map(({ failure: failed, childRunId, ...report }) => ({
      ...report,
      leaseId: leaseId({ projectId: 'p'.repeat(32), instanceId: report.instanceId }),
      ...(failed === undefined ? {} : { failure: failed }),
      ...(childRunId === undefined ? {} : { childRunId }),
    }));

const gate: fc.Arbitrary<GateReport> = fc.record({
  target: mostlyShort(200),
  firstLookAtMs: time,
  lastLookAtMs: time,
  looks: fc.nat(),
  failure: fc.constantFrom('OutsideWindow', 'ChangeFreeze', null),
  why: orNull(mostlyShort(20_000)),
  opensAtMs: orNull(time),
});

export const anyRunReport = (mostTargets: number, mostSteps: number): fc.Arbitrary<RunReport> =>
  fc
    .record({
      reportVersion: fc.constant(1 as const),
      runbook: mostlyShort(1_000),
      workflowId: textOf(150),
      runId: fc.uuid(),
      outcome: fc.constantFrom(...OUTCOMES),
      summary: mostlyShort(60_000),
      planHash: orNull(textOf(64)),
      requestedBy: orNull(mostlyShort(200)),
      reason: orNull(mostlyShort(1_000)),
      startedAtMs: time,
      endedAtMs: time,
      targets: fc.array(anyTargetReport(mostSteps), { maxLength: mostTargets, size: 'max' }),
      notStarted: fc.array(mostlyShort(300), { maxLength: mostTargets }),
      gates: fc.option(fc.array(gate, { maxLength: 100 }), { nil: undefined }),
      withdrawnBy: fc.option(mostlyShort(200), { nil: undefined }),
      failure: fc.option(failure, { nil: undefined }),
    })
    .map(({ gates, withdrawnBy, failure: failed, ...report }) => ({
      ...report,
      ...(gates === undefined ? {} : { gates }),
      ...(withdrawnBy === undefined ? {} : { withdrawnBy }),
      ...(failed === undefined ? {} : { failure: failed }),
    }));

const anyPlannedStep = (index: number): fc.Arbitrary<PlannedStep> =>
  fc.oneof(
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        id: fc.constant(`wait-${index}`),
        durationMs: fc.nat(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('check' as const),
        id: fc.constant(`check-${index}`),
        check: anyCheck,
        before: fc.boolean(),
        onFailure: fc.constantFrom('compensate', 'abort', 'continue'),
      }),
    },
    {
      weight: 9,
      arbitrary: fc.record({
        kind: fc.constant('action' as const),
        id: textOf(40).map((text) => `${text.replace(/[^a]/gu, 'b').slice(0, 50)}-${index}`),
        action: anyAction,
        deadlineMs: fc.nat(),
        verify: fc.record({ withinMs: fc.nat(), stableMs: fc.nat() }),
        usualDurationMs: fc.nat(),
        onFailure: fc.constantFrom('compensate', 'abort', 'continue'),
        compensation: fc.oneof(
          fc.constant({ kind: 'default' as const }),
          mostlyShort(2_000).map((reason) => ({ kind: 'irreversible' as const, reason })),
          anyAction.map((action) => ({ kind: 'action' as const, action })),
        ),
      }),
    },
  );

/** The targets of a plan share its steps, as in a runbook. */
export const anyPlan = (mostTargets: number, mostSteps: number): fc.Arbitrary<Plan> =>
  fc
    .record({
      paths: fc.uniqueArray(
        fc.tuple(textOf(64), fc.nat()).map(([text, number]) => `application/component/${text}${number}`),
        { minLength: 1, maxLength: mostTargets, size: 'max' },
      ),
      seen: anyObservation.map((seen) => ({ ...seen, hosts: null, failDetail: null })),
      steps: fc
        .integer({ min: 0, max: mostSteps })
        .chain((count) => fc.tuple(...Array.from({ length: count }, (_item, index) => anyPlannedStep(index)))),
      inputs: fc.dictionary(textOf(10), mostlyShort(100_000), { maxKeys: 3 }),
      requestedBy: orNull(textOf(200)),
      reason: orNull(textOf(1_000)),
      freeze: fc.array(textOf(200), { maxLength: 20 }),
      waitAtMostMs: orNull(fc.integer({ min: 1, max: 7 * 86_400_000 })),
    })
    .map(({ paths, seen, steps, freeze, waitAtMostMs, ...rest }) => ({
      planVersion: 1,
      runbook: 'wide',
      title: 'Many steps on many targets',
      ...rest,
      targets: paths.map((path, index): TargetPlan => ({
        target: aTarget({ path, instanceId: `instance-${index}`, projectId: 'p'.repeat(32) }),
        seen,
        steps,
      })),
      onCancel: 'compensate',
      guards: { window: null, freeze, waitAtMostMs, coming: [] },
      deadlineMs: 1,
      limits: defaultLimits,
      dryRun: false,
      hash: 'f'.repeat(64),
    }));
