/** The one error of the API client: what happened, as facts. What follows from it is decided elsewhere. */

/** Closed codes: failures to get through, refusals of ServiceStage itself, and answers that cannot be read. */
export type ServiceStageErrorCode =
  /** 400, 422 and other 4xx of ServiceStage itself. */
  | 'InvalidRequest'
  /** 403, or a 401 that is neither "token expired" nor a hidden not-found. */
  | 'NotAllowed'
  /** 404, or 401 with `SVCSTG.00100401`. */
  | 'NotFound'
  /** 409. */
  | 'Busy'
  /** 429. */
  | 'Throttled'
  /** The request budget of this process, or a token, did not come in time. */
  | 'BudgetExhausted'
  /** 401 "token expired" or "token must be updated"; the token is renewed for the next request. */
  | 'TokenExpired'
  /** Connection refused, DNS, TLS, a gateway that did not pass it on; for a read also any 5xx, reset or time-out. */
  | 'Unreachable'
  /** Only of a POST: no readable answer, so nobody knows whether it was accepted. */
  | 'Unanswered'
  /** Only of a read: 2xx in an undocumented shape, or refused as wrongly asked. */
  | 'UnreadableAnswer';

/**
 * Did the request reach ServiceStage? `no`: proved that it did not act. `refused`: it answered that it will not.
 * `unknown`: it may have acted; only a POST can be that.
 */
export type RequestSent = 'no' | 'refused' | 'unknown';

export interface ServiceStageErrorFacts {
  readonly code: ServiceStageErrorCode;
  readonly sent: RequestSent;
  readonly method: string;
  /** Path without query; never a token or a body. */
  readonly path: string;
  /** What happened, in words. */
  readonly reason: string;
  readonly httpStatus?: number;
  /** `SVCSTG.00100412`, `APIGW.0308`, … */
  readonly vendorCode?: string;
  readonly requestId?: string;
  /** How long to wait before asking again, where the answer says so. */
  readonly retryAfterMs?: number;
}

/** Carries no `cause`: errors of the HTTP client hold the whole request, its credentials too. */
export class ServiceStageError extends Error {
  override readonly name = 'ServiceStageError';
  readonly code: ServiceStageErrorCode;
  readonly sent: RequestSent;
  readonly httpStatus: number | undefined;
  readonly vendorCode: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(readonly facts: ServiceStageErrorFacts) {
    const { code, sent, method, path, reason, httpStatus, vendorCode, requestId, retryAfterMs } = facts;
    const where = [httpStatus, vendorCode].filter((part) => part !== undefined).join(' ');
    super(
      `${method} ${path}: ${where === '' ? '' : `${where}: `}${reason}${requestId === undefined ? '' : ` (request ${requestId})`}`,
    );
    this.code = code;
    this.sent = sent;
    this.httpStatus = httpStatus;
    this.vendorCode = vendorCode;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}
