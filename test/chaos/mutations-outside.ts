/** Mutations of what the model does not have: the HTTP client's sockets, child workflows, the report's memo. Storms find them. */
import { SEEDS, type Mutation } from './mutation.js';

const HTTP = 'src/servicestage/http.ts';
const LEASE = 'src/workflows/lease.ts';
const RUN = 'src/workflows/run.ts';
const TARGET_RUN = 'src/workflows/target-run.ts';

export const OUTSIDE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'post-retried-by-the-client',
    breaks: 'once',
    why: 'The HTTP client sends a POST again after a reset, a time-out or a 5xx: two POSTs within one attempt (2.2).',
    edits: [
      { file: HTTP, from: `  retry: { limit: 0 },`, to: `  retry: { limit: 2, methods: ['GET', 'POST'] },` },
      {
        file: HTTP,
        from: `import type { Socket } from 'node:net';`,
        to: `import { connect, type Socket } from 'node:net';`,
      },
      {
        file: HTTP,
        from: `{ createConnection: () => connection }),`,
        to: `{
          createConnection: () =>
            connection.bytesWritten === 0 ? connection : connect(Number(url.port), url.hostname),
        }),`,
      },
    ],
    storms: { seeds: SEEDS },
    model: { kind: 'blind', why: 'a POST of the model is one event; it has no sockets' },
  },
  {
    name: 'lease-id-random',
    breaks: 'alone',
    why: 'Each run takes a lease of its own, so two act on one instance at a time (section 7).',
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
    model: { kind: 'blind', why: 'the runs of the model come one after another' },
  },
  {
    name: 'run-closes-over-its-child',
    breaks: 'ends',
    why: 'A run that is terminated takes the child with it, which then neither finishes nor undoes what is in flight (section 7).',
    edits: [
      {
        file: LEASE,
        from: `      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,`,
        to: `      parentClosePolicy: ParentClosePolicy.TERMINATE,`,
      },
    ],
    storms: { aim: ['terminatedThenStartedAgain'], seeds: 6 },
    model: { kind: 'blind', why: 'the model has the child alone, without its run' },
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
    model: { kind: 'blind', why: 'the model has the child alone, without its run' },
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
        from: `import { OUTCOME_SEARCH_ATTRIBUTE, PROGRESS_QUERY, REPORT_MEMO, TARGET_SEARCH_ATTRIBUTE }`,
        to: `import { OUTCOME_SEARCH_ATTRIBUTE, PROGRESS_QUERY, TARGET_SEARCH_ATTRIBUTE }`,
      },
      {
        file: RUN,
        from: `import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES }`,
        to: `import { RESULT_REPORT_BYTES }`,
      },
      { file: RUN, from: `  upsertMemo({ [REPORT_MEMO]: storedReport(report, MEMO_REPORT_BYTES) });\n`, to: '' },
    ],
    storms: { aim: ['cancelledTwice'], seeds: 6 },
    model: { kind: 'blind', why: 'a report of the model is handed over, not stored' },
  },
];
