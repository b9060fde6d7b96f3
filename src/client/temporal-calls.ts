/** Calls to Temporal with a limit of time and a signal, and the one place where its errors get our names. */
import {
  isGrpcServiceError,
  NamespaceNotFoundError,
  ServiceError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { AccessDenied, ClientClosed, RunNotFound, ServerUnreachable } from './errors.js';

/** https://grpc.io/docs/guides/status-codes/ */
export const GRPC = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  busy: 8,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};
const AWAY: readonly number[] = [GRPC.cancelled, GRPC.deadlineExceeded, GRPC.busy, GRPC.internal, GRPC.unavailable];
const REFUSED: readonly number[] = [GRPC.permissionDenied, GRPC.unauthenticated];

/** gRPC keeps the limit itself and says more; only its tries anew may outlast it. */
const GRACE_MS = 250;

export class Calls {
  readonly #underWay = new Set<Promise<unknown>>();
  /** Of the calls and pauses that a close ends. */
  readonly #interruptible = new Set<AbortController>();
  #closed = false;

  constructor(readonly client: Client) {}

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Calls within `timeoutMs`, and ends at once with the signal's reason, or `ClientClosed`, also while the SDK pauses between two tries. */
  within<Value>(timeoutMs: number, signal: AbortSignal | undefined, call: () => Promise<Value>): Promise<Value> {
    return this.#interruptibly(signal, (ofThisCall) => this.#limited(timeoutMs, ofThisCall, call));
  }

  /** As `within`, for what changes something: a close waits for it, so that nobody has to guess whether it happened. */
  toTheEnd<Value>(timeoutMs: number, call: () => Promise<Value>): Promise<Value> {
    return this.#limited(timeoutMs, new AbortController(), call);
  }

  /** Resolves after the pause, or at once when the signal is aborted or the client closed. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#interruptibly(signal, (ofThisPause) => pauseUnless(ofThisPause.signal, ms));
  }

  /** Refuses later calls. Resolves when nothing is under way any more: the SDK's next try on a connection that is closed would end the process. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const controller of this.#interruptible) controller.abort(new ClientClosed());
    await Promise.allSettled(this.#underWay);
  }

  /** The signal is followed by a controller of this call alone: each request adds a listener that the SDK never removes. */
  async #interruptibly<Value>(
    signal: AbortSignal | undefined,
    act: (controller: AbortController) => Promise<Value>,
  ): Promise<Value> {
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    else if (this.#closed) controller.abort(new ClientClosed());
    signal?.addEventListener('abort', abort, { once: true });
    this.#interruptible.add(controller);
    try {
      return await act(controller);
    } finally {
      this.#interruptible.delete(controller);
      signal?.removeEventListener('abort', abort);
    }
  }

  async #limited<Value>(timeoutMs: number, ofThisCall: AbortController, call: () => Promise<Value>): Promise<Value> {
    const { signal } = ofThisCall;
    signal.throwIfAborted();
    if (this.#closed) throw new ClientClosed();
    const over = new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
    const tooLate = () => ofThisCall.abort(new ServerUnreachable(`Temporal does not answer within ${timeoutMs} ms`));
    const late = setTimeout(tooLate, timeoutMs + GRACE_MS);
    try {
      return await Promise.race([over, this.#follow(this.#send(timeoutMs, signal, call))]);
    } finally {
      clearTimeout(late);
    }
  }

  #send<Value>(timeoutMs: number, signal: AbortSignal, call: () => Promise<Value>): Promise<Value> {
    return this.client.withDeadline(Date.now() + timeoutMs, () => this.client.withAbortSignal(signal, call));
  }

  #follow<Value>(answer: Promise<Value>): Promise<Value> {
    const end = () => this.#underWay.delete(answer);
    this.#underWay.add(answer);
    answer.then(end, end);
    return answer;
  }
}

/** The status code of a gRPC error, bare or as the SDK wraps it; `null` for everything else, our own errors among it. */
export function grpcCodeOf(error: unknown): number | null {
  const inner = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(inner) ? inner.code : null;
}

/** True when the limit of time of the call, or of the server's own wait, ran out. */
export function ranOutOfTime(error: unknown): boolean {
  return grpcCodeOf(error) === GRPC.deadlineExceeded;
}

/** The error under our own name; one that has none is given back as it is. */
export function named(error: unknown, workflowId: string | null): unknown {
  if (error instanceof WorkflowNotFoundError && workflowId !== null)
    return new RunNotFound(workflowId, { cause: error });
  if (error instanceof NamespaceNotFoundError)
    return new AccessDenied(`Temporal has no namespace "${error.namespace}"`, { cause: error });
  const code = grpcCodeOf(error);
  if (code === null) return error;
  if (code === GRPC.notFound)
    return workflowId === null
      ? new AccessDenied(`Temporal does not know it: ${reasonOf(error)}`, { cause: error })
      : new RunNotFound(workflowId, { cause: error });
  if (REFUSED.includes(code))
    return new AccessDenied(`Temporal refuses the credentials: ${reasonOf(error)}`, { cause: error });
  if (AWAY.includes(code))
    return new ServerUnreachable(`Temporal cannot be reached: ${reasonOf(error)}`, { cause: error, workflowId });
  return error;
}

/** What the innermost error says. */
export function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  return innermost instanceof Error ? innermost.message : String(innermost);
}

function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
