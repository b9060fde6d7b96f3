/** The question that shows whether Temporal answers for our namespace. A worker asks it at its start in any case, so it needs no further rights. */
import type { ConnectionLike } from '@temporalio/client';
import type { NoAnswer } from '../domain/no-answer.js';
import { GRPC, grpcCodeOf, isRefusal, reasonOf } from './calls.js';

/** What is known of a namespace. */
export interface Namespace {
  /** How long closed runs are kept, milliseconds; `null`: the server does not say. */
  readonly retentionMs: number | null;
}

/** The caller sets the deadline. @throws what the call throws; `noAnswerOf` sorts it */
export async function readNamespace(
  { workflowService }: Pick<ConnectionLike, 'workflowService'>,
  namespace: string,
): Promise<Namespace> {
  const { config } = await workflowService.describeNamespace({ namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return { retentionMs: seconds === 0 ? null : seconds * 1_000 };
}

/** Sorts what a call to Temporal throws. */
export function noAnswerOf(error: unknown): NoAnswer {
  const code = grpcCodeOf(error);
  const reason = reasonOf(error);
  if (isRefusal(error)) return { cause: 'denied', reason };
  if (code === GRPC.notFound) return { cause: 'missing', reason };
  const isUnreachable = code === null || code === GRPC.unavailable || code === GRPC.deadlineExceeded;
  return { cause: isUnreachable ? 'unreachable' : 'other', reason };
}
