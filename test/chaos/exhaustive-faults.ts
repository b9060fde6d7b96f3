/** What can go wrong at a request, as the simulator is armed with it; pure data. To add a kind, add a row. */
import type { FaultRequest } from '../support/simulator.js';

export type Fault = FaultRequest['fault'];

/** How a cloud job is armed to end; `{}` is success. */
export interface ArmedOutcome {
  readonly executionStatus?: string;
  readonly instanceStatus?: string;
  readonly neverEnds?: true;
  readonly converges?: false;
}

/** Longer than every timeout of the suite. */
const FOR_EVER_MS = 60_000;
/** Later than the first quiet reading and well inside the visibility window. */
const LATE_MS = 150;

/** Faults of any request. Statuses are separate if the protocol treats them differently. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  status500: { kind: 'status', status: 500 },
  status503: { kind: 'status', status: 503, body: '<html>Service Unavailable</html>' },
  gateway504: { kind: 'status', status: 504, code: 'APIGW.0201', message: 'Backend timeout' },
  gateway404: { kind: 'status', status: 404, code: 'APIGW.0101', message: 'The API does not exist' },
  status400: { kind: 'status', status: 400, code: 'SVCSTG.00100400' },
  status401: { kind: 'status', status: 401, code: 'APIGW.0301' },
  status403: { kind: 'status', status: 403, code: 'SVCSTG.00100402' },
  status404: { kind: 'status', status: 404, code: 'SVCSTG.00100412' },
  hidden404: { kind: 'status', status: 401, code: 'SVCSTG.00100401' },
  status409: { kind: 'status', status: 409, code: 'SVCSTG.00100400' },
  tokenExpired: { kind: 'tokenExpired' },
  throttle: { kind: 'throttle' },
  reset: { kind: 'reset' },
  hang: { kind: 'hang', ms: FOR_EVER_MS },
  delay: { kind: 'delay', ms: 200 },
  wrongBody: { kind: 'wrongBody' },
  emptyBody: { kind: 'wrongBody', body: '{}', contentType: 'application/json' },
  redirect: { kind: 'redirect' },
  truncate: { kind: 'truncate' },
};

/** Faults that only a POST can have: the action is accepted, but the answer is lost or late. */
export const POST_FAULTS: Readonly<Record<string, Fault>> = {
  actThenReset: { kind: 'actThenReset' },
  actThenStatus: { kind: 'actThenStatus', status: 500 },
  actThenHang: { kind: 'actThenHang', ms: FOR_EVER_MS },
  actThenWrongBody: { kind: 'actThenWrongBody' },
  actLate: { kind: 'actLate', ms: LATE_MS },
};

/** Faults of a POST with a proper answer: the accepted cloud job shows late. */
export const SHOWN_LATE: Readonly<Record<string, Fault>> = {
  visibleLate: { kind: 'visibleLate', ms: 2 * LATE_MS },
  visibleAndShownLate: { kind: 'visibleLate', ms: 2 * LATE_MS, statusMs: 2 * LATE_MS },
};

interface CloudJobEnd {
  readonly outcome: ArmedOutcome;
  readonly needsShortDeadline?: true;
}

/** How a step's cloud job can fail. */
export const CLOUD_JOB_ENDS: Readonly<Record<string, CloudJobEnd>> = {
  FAILED: { outcome: { executionStatus: 'FAILED' } },
  PARTIALLY_FAILED: { outcome: { executionStatus: 'PARTIALLY_FAILED' } },
  CANCELLED: { outcome: { executionStatus: 'CANCELLED' } },
  ROLLBACKED: { outcome: { executionStatus: 'ROLLBACKED' } },
  'FAILED, the instance too': { outcome: { executionStatus: 'FAILED', instanceStatus: 'FAILED' } },
  'UNKNOWN for ever': { outcome: { executionStatus: 'UNKNOWN' }, needsShortDeadline: true },
  'never ends': { outcome: { neverEnds: true }, needsShortDeadline: true },
  'SUCCEEDED, no replica available': { outcome: { converges: false } },
  'SUCCEEDED, the instance DOWN': { outcome: { instanceStatus: 'DOWN' } },
};
