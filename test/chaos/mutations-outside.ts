/**
 * Mutations of the HTTP client's sockets, of how a run holds its child, and of the report's memo. Storms play them; the model has its own code
 * for these rules.
 */
import { SEEDS, type Mutation } from './mutation.js';

const EXECUTION = 'test/model/execution.ts';
const HTTP = 'src/servicestage/http.ts';
const LEASE = 'src/workflows/lease.ts';
const RUN = 'src/workflows/run.ts';
const TARGET_RUN = 'src/workflows/target-run.ts';

export const OUTSIDE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'post-retried-by-the-client',
    breaks: 'once',
    why: 'The HTTP client sends a POST again after a reset, a timeout or a 5xx: two POSTs within one attempt (2.2).',
    edits: [
      {
        file: HTTP,
        from: `  retry: { limit: 0 },`,
        to: `  retry: { limit: 2, methods: ['GET', 'POST'], backoffLimit: 50 },`,
      },
      {
        file: HTTP,
        from: `import { got, type CancelableRequest, type Response } from 'got';`,
        to: `import { connect } from 'node:net';
import { got, type CancelableRequest, type Response } from 'got';`,
      },
      {
        file: HTTP,
        from: `{ createConnection: held.createConnection }),`,
        to: `{
          createConnection: (options, onConnection) =>
            held.connection.bytesWritten === 0
              ? held.createConnection(options, onConnection)
              : connect(Number(url.port), url.hostname),
        }),`,
      },
    ],
    storms: { seeds: SEEDS },
    model: {
      kind: 'found',
      edits: [
        {
          file: 'test/model/requests.ts',
          from: `this.#answerPost(answeredAfterMs, () => failed('Unanswered', 'unknown'));`,
          to: `if (this.attempt.record.posts > 1) this.#answerPost(answeredAfterMs, () => failed('Unanswered', 'unknown'));
    else this.attempt.later(answeredAfterMs, () => this.#send());`,
        },
      ],
    },
  },
  {
    name: 'lease-id-random',
    breaks: 'alone',
    why: 'Each run acquires a lease of its own, so two act on one instance at a time (section 7).',
    edits: [
      {
        file: LEASE,
        from: `  startChild,
  WorkflowIdReusePolicy,`,
        to: `  startChild,
  uuid4,
  WorkflowIdReusePolicy,`,
      },
      { file: LEASE, from: `  const id = leaseId(target);`, to: '  const id = `${leaseId(target)}/${uuid4()}`;' },
      {
        file: TARGET_RUN,
        from: `  if (workflowId !== expected) throw`,
        to: `  if (!workflowId.startsWith(expected)) throw`,
      },
    ],
    storms: { seeds: SEEDS },
    model: {
      kind: 'found',
      aim: { runs: 2 },
      edits: [
        {
          file: 'test/model/play.ts',
          from: `    if (planned === undefined || this.holder?.isOpen === true || this.#isWaiting) return;`,
          to: `    if (planned === undefined || this.#isWaiting) return;`,
        },
        {
          file: 'test/model/play.ts',
          from: `    this.executions.push(execution);`,
          to: `    this.executions.push(execution);
    this.#closed();`,
        },
      ],
    },
  },
  {
    name: 'run-closes-over-its-child',
    breaks: 'ends',
    why: 'The termination of a run terminates its child too, which then neither finishes nor undoes what is in flight (section 7).',
    edits: [
      {
        file: LEASE,
        from: `      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,`,
        to: `      parentClosePolicy: ParentClosePolicy.TERMINATE,`,
      },
    ],
    storms: { aim: ['terminatedThenStartedAgain'], seeds: 6 },
    model: {
      kind: 'found',
      edits: [
        {
          file: 'test/model/disruptions.ts',
          from: `      return stage.holder?.cancel();
    case 'resetWorkflow':`,
          to: `      if (stage.holder?.isOpen === true) stage.holder.close();
      return;
    case 'resetWorkflow':`,
        },
      ],
    },
  },
  {
    name: 'cancelled-child-not-awaited',
    breaks: 'known',
    why: 'A cancelled run does not wait for its child, so its report lacks what the child did (section 7).',
    edits: [
      {
        file: LEASE,
        from: `      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,`,
        to: `      cancellationType: ChildWorkflowCancellationType.TRY_CANCEL,`,
      },
    ],
    storms: { aim: ['cancelledTwice'], seeds: 6 },
    model: {
      kind: 'found',
      edits: [
        {
          file: EXECUTION,
          from: `    this.holder.cancelRequestedAtMs = time.nowMs;
    const ask`,
          to: `    this.holder.cancelRequestedAtMs = time.nowMs;
    const nothing = { steps: [], compensations: [], remaining: [], captured: null };
    this.holder.report = { outcome: 'cancelled', ...nothing, failure: 'cancelled' };
    const ask`,
        },
        { file: EXECUTION, from: `      holder.report = asked.value;`, to: `      holder.report ??= asked.value;` },
      ],
    },
  },
  {
    name: 'report-not-in-memo',
    breaks: 'known',
    why: 'A run that closes Cancelled carries neither result nor details, so without the memo it has no report (section 7).',
    edits: [
      {
        file: RUN,
        from: `  upsertMemo,
  upsertSearchAttributes,`,
        to: `  upsertSearchAttributes,`,
      },
      {
        file: RUN,
        from: `  REPORT_MEMO,
  SCHEDULED_BY_SEARCH_ATTRIBUTE,`,
        to: `  SCHEDULED_BY_SEARCH_ATTRIBUTE,`,
      },
      {
        file: RUN,
        from: `import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES }`,
        to: `import { RESULT_REPORT_BYTES }`,
      },
      { file: RUN, from: `  upsertMemo({ [REPORT_MEMO]: storedReport(report, MEMO_REPORT_BYTES) });\n`, to: '' },
    ],
    storms: { aim: ['cancelledTwice'], seeds: 6 },
    model: {
      kind: 'found',
      edits: [
        {
          file: EXECUTION,
          from: `      holder.report = asked.value;`,
          to: `      holder.report = this.#context.cancelled ? null : asked.value;`,
        },
      ],
    },
  },
];
