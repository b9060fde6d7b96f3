/** The only error of the API client. It states facts; their consequences are decided elsewhere. */

/** Closed set of codes: the request did not get through, ServiceStage refused it, or the answer cannot be read. */
export type ServiceStageErrorCode =
  /** 400, 422 and other 4xx from ServiceStage itself. */
  | 'InvalidRequest'
  /** 403, or a 401 that is neither "token expired" nor a hidden not-found. */
  | 'NotAllowed'
  /** 404, or 401 with `SVCSTG.00100401`. */
  | 'NotFound'
  /** 409. */
  | 'Busy'
  /** 429. */
  | 'Throttled'
  /** The request budget of this process, or a token, was not available in time. */
  | 'BudgetExhausted'
  /** 401 "token expired" or "token must be updated"; the token is renewed for the next request. */
  | 'TokenExpired'
  /**
   * Connection refused, DNS, TLS, or a gateway that did not forward the request; for reads also any 5xx, reset or
   * timeout.
   */
  | 'Unreachable'
  /** POST only: no readable answer, so it is unknown whether the action was accepted. */
  | 'Unanswered'
  /** Reads only: 2xx in an undocumented shape, or refused as an invalid request. */
  | 'UnreadableAnswer';

/**
 * Whether the request reached ServiceStage. `no`: it provably did not act. `refused`: it answered that it will not.
 * `unknown`: it may have acted, which only a POST can do.
 */
export type RequestSent = 'no' | 'refused' | 'unknown';

/** The facts of a failed request. */
export interface ServiceStageErrorFacts {
  readonly code: ServiceStageErrorCode;
  readonly sent: RequestSent;
  readonly method: string;
  /** Path without query; never a token or a body. */
  readonly path: string;
  /** What happened, for people. */
  readonly reason: string;
  readonly httpStatus?: number;
  /** `SVCSTG.00100412`, `APIGW.0308`, … */
  readonly vendorCode?: string;
  readonly requestId?: string;
  /** How long to wait before trying again, if the answer contains it. */
  readonly retryAfterMs?: number;
}

/** Has no `cause`, because errors of the HTTP client contain the whole request with its credentials. */
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
