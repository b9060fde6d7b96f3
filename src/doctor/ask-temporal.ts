/** Asks Temporal what an operator wants to know before trusting an installation. Changes nothing: what would change something is asked of a run that does not exist. */
import { X509Certificate } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { ClientConfig } from '../config/config.js';
import { readPollers } from '../client/run-facts.js';
import { ClosableConnection } from '../temporal/connection.js';
import { GRPC, grpcCodeOf } from '../temporal/calls.js';
import { noAnswerOf, readNamespace } from '../temporal/read-namespace.js';
import { missingSearchAttributes } from '../temporal/search-attributes.js';
import { answerWithin, RIGHTS, type Answer, type Right, type TemporalFacts } from './facts.js';

/** No run has this id: those of runs are checked when they start. */
const NO_SUCH_RUN = { workflowId: 'runbook-doctor: there is no such run' };

/** The deadline of a call comes before the limit of its question: its error explains more than a limit. */
const EARLIER = 0.9;

/** Answers of a server that would have done it, had there been such a run. */
const ALLOWED: readonly (number | null)[] = [GRPC.notFound, GRPC.invalidArgument];

type Service = Client['connection']['workflowService'];

/** One call for each right that cannot change anything: the server checks the right first, and then what is asked for. */
const TRIES: Readonly<Record<Right, (service: Service, namespace: string) => Promise<unknown>>> = {
  list: (service, namespace) => service.listWorkflowExecutions({ namespace, pageSize: 1 }),
  // Without an id and a type no server starts anything.
  start: (service, namespace) => service.startWorkflowExecution({ namespace }),
  signal: (service, namespace) =>
    service.signalWorkflowExecution({ namespace, workflowExecution: NO_SUCH_RUN, signalName: 'doctor' }),
  update: (service, namespace) =>
    service.updateWorkflowExecution({
      namespace,
      workflowExecution: NO_SUCH_RUN,
      request: { meta: { updateId: 'doctor' }, input: { name: 'doctor' } },
    }),
  query: (service, namespace) =>
    service.queryWorkflow({ namespace, execution: NO_SUCH_RUN, query: { queryType: 'doctor' } }),
  cancel: (service, namespace) => service.requestCancelWorkflowExecution({ namespace, workflowExecution: NO_SUCH_RUN }),
};

/** Asks all at once. @param timeoutMs limit of each question */
export async function askTemporal(
  { temporal, taskQueue }: Pick<ClientConfig, 'temporal' | 'taskQueue'>,
  timeoutMs: number,
): Promise<TemporalFacts> {
  const { address, namespace, proxy, connectionOptions } = temporal;
  const { tls, apiKey } = connectionOptions;
  const connection = ClosableConnection.lazy({ ...connectionOptions, connectTimeout: timeoutMs });
  const client = new Client({ connection, namespace });
  const { workflowService } = connection;
  const ask = <Value>(question: () => Promise<Value>) =>
    answerWithin(timeoutMs, noAnswerOf, () => client.withDeadline(Date.now() + EARLIER * timeoutMs, question));
  try {
    const server = await ask(async () => (await workflowService.getSystemInfo({})).serverVersion);
    const ifReached = askedIf(server, 'Temporal does not answer');
    const retentionMs = await ifReached(() =>
      ask(async () => (await readNamespace(connection, namespace)).retentionMs),
    );
    const isMissing = retentionMs.kind === 'failed' && retentionMs.cause === 'missing';
    const ifThere = isMissing
      ? async (): Promise<Answer<never>> => ({ kind: 'unasked', why: 'there is no such namespace' })
      : ifReached;
    const [missingAttributes, pollers, ...rights] = await Promise.all([
      ifThere(() =>
        ask(async () => (await missingSearchAttributes(client)).map(({ name, type }) => `${name} (${type})`)),
      ),
      ifThere(() => ask(() => readPollers(client, taskQueue))),
      ...RIGHTS.map(async (right) => {
        const tried = await ifThere(() => ask(() => allowed(() => TRIES[right](workflowService, namespace))));
        return [right, tried] as const;
      }),
    ]);
    return {
      address,
      proxy,
      namespace,
      taskQueue,
      secured: {
        tls: (tls !== undefined && tls !== null && tls !== false) || apiKey !== undefined,
        apiKey: apiKey !== undefined,
      },
      certificateExpiresAtMs: expiryOf(tls),
      server,
      retentionMs,
      missingAttributes,
      pollers,
      rights: Object.fromEntries(rights) as TemporalFacts['rights'],
    };
  } finally {
    await connection.close();
  }
}

function askedIf(server: Answer<unknown>, why: string) {
  return async <Value>(question: () => Promise<Answer<Value>>): Promise<Answer<Value>> =>
    server.kind === 'answer' ? question() : { kind: 'unasked', why };
}

async function allowed(call: () => Promise<unknown>): Promise<true> {
  try {
    await call();
  } catch (error) {
    if (!ALLOWED.includes(grpcCodeOf(error))) throw error;
  }
  return true;
}

function expiryOf(tls: ClientConfig['temporal']['connectionOptions']['tls']): number | null {
  const pair = typeof tls === 'object' && tls !== null ? tls.clientCertPair : undefined;
  if (pair === undefined || pair === null) return null;
  return Date.parse(new X509Certificate(Buffer.from(pair.crt)).validTo);
}
