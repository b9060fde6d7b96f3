/**
 * Turns a failed HTTP answer, or none at all, into a `ServiceStageError`. These tables decide which answer proves
 * what.
 */
import { clockAsCause } from '../domain/time/clock-problem.js';
import { nestingProblem } from '../domain/text/nesting.js';
import { clipText } from '../domain/text/text.js';
import { hideSecrets } from './hide-secrets.js';
import { ServiceStageError, type RequestSent, type ServiceStageErrorCode } from './errors.js';

/** The request that was answered, or not. */
export interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

/** An HTTP answer, as received. */
export interface Answer {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * Gateway codes that prove that ServiceStage was never asked. Source: API Gateway user guide, "Error Codes"
 * (2021-09, 2025-10); both prefixes, `APIGW.` and `APIG.`, occur in the field. `.0201` and `.0601` prove nothing.
 */
const NOT_PASSED_ON = /^APIGW?\.(0101|0103|0104|0105|030[1-9]|0310|0613|0802)$/;
/** The backend may have acted. */
const PASSED_ON = /^APIGW?\.0(201|601)$/;
/** A proxy or a load balancer gave up waiting: Envoy and HAProxy answer 408, nginx 499. Whether the request was passed on is not known. */
const GAVE_UP: readonly number[] = [408, 499];
const TOKEN_EXPIRED = /token (must be updated|expires|expired|is expired)/i;
/** Real texts: `verify aksk signature fail`, `AK access failed to reach the limit,forbidden`. */
const SIGNATURE = /signature|ak\/?sk|\bAK access failed/i;
/** Real texts of a 401: `decrypt token fail`, `Get secretKey failed,ak:…,err:ak not exist`. */
const OTHER_THAN_SIGNATURE = /token|ak not exist|secretKey failed/i;
/** `calc aksk signature fail:signature expired, signature time:20211217T064303Z,server time:20211217T065804Z` (Java SDK issue 44). */
const SIGNATURE_TIME = /signature (?:is )?(?:expired|time)|time ?(?:is )?too ?skewed/i;
/** V3 answers a missing resource with 401, and V2 may do so as well (seen in Terraform's provider, 2026-08). */
const HIDDEN_NOT_FOUND = 'SVCSTG.00100401';
/** Real texts: `policy ip over ratelimit,limit:5,time:1 second`. */
const THROTTLE_WINDOW = /time:\s*(\d+)\s*(second|minute|hour)/i;
const WINDOW_UNIT_MS: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000 };
/** Chosen, because no `Retry-After` is documented and rejected requests may also count. */
export const DEFAULT_THROTTLE_MS = 60_000;
/** Chosen: one answer closes the budget of the whole process, and timers are limited to 24 days. */
const LONGEST_THROTTLE_MS = 86_400_000;
const LONGEST_REASON_BYTES = 300;
const LONGEST_CODE_BYTES = 100;
/** Only this much of an error's text is searched. */
const READ_CHARACTERS = 4_096;

/**
 * Classifies an answer that is not a success.
 * @param secrets texts to hide if the answer echoes them
 * @param isSigned true for requests signed by an access key
 * @param nowMs when the answer arrived, by our clock
 */
export function errorFromAnswer(
  asked: Asked,
  answer: Answer,
  secrets: readonly string[] = [],
  { isSigned = false, nowMs }: { readonly isSigned?: boolean; readonly nowMs?: number } = {},
): ServiceStageError {
  // Hide secrets before cutting the text, so that no half of a secret remains.
  const shown = (text: string) => hideSecrets(text, secrets).slice(0, READ_CHARACTERS);
  const { code: vendorCode, text } = readErrorBody(answer.body);
  const requestId = headerOf(answer, 'x-request-id') ?? readRequestId(answer.body);
  const { code, sent } = classify(asked, answer.httpStatus, vendorCode, text?.slice(0, READ_CHARACTERS));
  const claimed = text === undefined ? shown(answer.body).replace(/<[^>]*>/g, ' ') : shown(text);
  const reason = clipText(claimed.replace(/\s+/g, ' ').trim(), LONGEST_REASON_BYTES);
  const refusesSignature = isSigned && isAboutSignature(answer.httpStatus, vendorCode, text?.slice(0, READ_CHARACTERS));
  const clock = clockAsCause(clockAheadMs(answer.headers, nowMs), {
    isSigned: refusesSignature,
    namesTime: SIGNATURE_TIME.test(claimed.slice(0, READ_CHARACTERS)),
  });
  return new ServiceStageError({
    code,
    sent,
    ...asked,
    reason: `${reason === '' ? 'no text in the answer' : reason}${clock === null ? '' : `; ${clock}`}`,
    httpStatus: answer.httpStatus,
    ...(vendorCode === undefined ? {} : { vendorCode: clipText(shown(vendorCode), LONGEST_CODE_BYTES) }),
    ...(requestId === undefined ? {} : { requestId: clipText(shown(requestId), LONGEST_CODE_BYTES) }),
    ...(code === 'Throttled' ? { retryAfterMs: throttledForMs(answer, text?.slice(0, READ_CHARACTERS)) } : {}),
  });
}

/** A caller who lacks permission, or asks for something that does not exist, has a valid signature. */
function isAboutSignature(status: number, vendorCode: string | undefined, text = ''): boolean {
  if (status !== 401 && status !== 403) return false;
  if (SIGNATURE.test(text) || SIGNATURE_TIME.test(text)) return true;
  return status === 401 && vendorCode !== HIDDEN_NOT_FOUND && !OTHER_THAN_SIGNATURE.test(text);
}

/** Our clock minus the `Date` of an answer that arrived at `nowMs`; `null` if there is no readable date. */
export function clockAheadMs(headers: Answer['headers'], nowMs = Date.now()): number | null {
  const date = Date.parse([headers['date']].flat()[0] ?? '');
  return Number.isNaN(date) ? null : nowMs - date;
}

interface Class {
  readonly code: ServiceStageErrorCode;
  readonly sent: RequestSent;
}

function classify({ method }: Asked, status: number, vendorCode: string | undefined, text = ''): Class {
  const isRead = method === 'GET';
  const gateway = vendorCode !== undefined && NOT_PASSED_ON.test(vendorCode);
  if (status === 429) return { code: 'Throttled', sent: 'no' };
  if (status === 401 && vendorCode !== HIDDEN_NOT_FOUND) {
    const expired = vendorCode?.endsWith('.0307') === true || TOKEN_EXPIRED.test(text);
    return { code: expired ? 'TokenExpired' : 'NotAllowed', sent: 'no' };
  }
  if (gateway) return { code: status === 403 ? 'NotAllowed' : 'Unreachable', sent: 'no' };
  if (status >= 400 && status < 500 && !GAVE_UP.includes(status) && !PASSED_ON.test(vendorCode ?? ''))
    return { code: codeOfRefusal(status, isRead), sent: 'refused' };
  return isRead ? { code: 'Unreachable', sent: 'no' } : { code: 'Unanswered', sent: 'unknown' };
}

function codeOfRefusal(status: number, isRead: boolean): ServiceStageErrorCode {
  if (status === 401 || status === 404) return 'NotFound';
  if (status === 403) return 'NotAllowed';
  if (status === 409) return 'Busy';
  // We are responsible for our reads, so no author of a runbook could fix one that is refused.
  return isRead ? 'UnreadableAnswer' : 'InvalidRequest';
}

/** Classifies a missing or unreadable answer. @param reached true if the other side may have read the request */
export function errorWithoutAnswer(asked: Asked, reached: boolean, reason: string): ServiceStageError {
  if (asked.method === 'POST' && reached)
    return new ServiceStageError({ ...asked, code: 'Unanswered', sent: 'unknown', reason });
  return new ServiceStageError({ ...asked, code: 'Unreachable', sent: 'no', reason });
}

function throttledForMs(answer: Answer, text = ''): number {
  const retryAfter = headerOf(answer, 'retry-after');
  const seconds = retryAfter === undefined ? Number.NaN : Number(retryAfter);
  if (Number.isFinite(seconds) && seconds >= 0) return Math.min(seconds * 1_000, LONGEST_THROTTLE_MS);
  const [, count, unit] = THROTTLE_WINDOW.exec(text) ?? [];
  const unitMs = WINDOW_UNIT_MS[unit?.toLowerCase() ?? ''];
  return count === undefined || unitMs === undefined
    ? DEFAULT_THROTTLE_MS
    : Math.min(Number(count) * unitMs, LONGEST_THROTTLE_MS);
}

/** Reads what it can: at least three shapes are documented, and a gateway may answer HTML. */
function readErrorBody(body: string): { code?: string; text?: string } {
  const root = objectIn(body);
  if (root === undefined) return {};
  const nested = asObject(root['error']);
  const code = firstText(root['error_code'], root['errorCode'], nested?.['code'], root['code']);
  const text = firstText(
    root['error_msg'],
    root['error_message'],
    root['errorMsg'],
    root['errorMessage'],
    nested?.['message'],
    root['message'],
  );
  return { ...(code === undefined ? {} : { code }), ...(text === undefined ? {} : { text }) };
}

function readRequestId(body: string): string | undefined {
  return firstText(objectIn(body)?.['request_id']);
}

function objectIn(body: string): Record<string, unknown> | undefined {
  if (nestingProblem(body) !== null) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return asObject(Array.isArray(parsed) ? parsed[0] : parsed);
  } catch {
    return undefined; // Not JSON: gateways and load balancers answer HTML.
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function firstText(...values: readonly unknown[]): string | undefined {
  const found = values.find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
}

function headerOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
