/** The faults of the exhaustive suite as the machine hears them: what the simulator is armed with, read by the product's own tables. */
import { failureNameOf } from '../../src/activities/to-failure.js';
import { DEFAULT_LIMITS } from '../../src/domain/once/limits.js';
import { errorFromAnswer } from '../../src/servicestage/classify-answer.js';
import type { ServiceStageError } from '../../src/servicestage/errors.js';
import { ERRORS, throttled, type VendorError } from '../../src/simulator/answers.js';
import { Fault as ArmedFault } from '../../src/simulator/faults.js';
import {
  CLOUD_JOB_ENDS,
  FAULTS,
  POST_FAULTS,
  SHOWN_LATE,
  type ArmedOutcome,
  type Fault,
} from '../chaos/exhaustive-faults.js';
import type { Mischief } from './scenario.js';

/** The requests of a run that can be struck, and what comes of an accepted one. */
export type StruckSite = 'observe' | 'read' | 'poll' | 'inspect' | 'connect' | 'post' | 'job';

const { postTimeoutMs: POST_MS, visibilityWindowMs: WINDOW_MS } = DEFAULT_LIMITS;
/** Later than usual, and in time. */
const SLOW_MS = 2_000;
/** Accepted and shown as late as can be: whoever waits half a second too little sends twice. */
const ACCEPTED_LATE_MS = POST_MS - 500;
const SHOWN_LATE_MS = WINDOW_MS - 500;
const SOON_MS = 20;

/** Every kind of fault of each request, by the names that the suite on a real server has too. */
export const STRIKES: Readonly<Record<StruckSite, Readonly<Record<string, Mischief>>>> = {
  observe: mapped(FAULTS, ofRead),
  read: mapped(FAULTS, ofRead),
  poll: mapped(FAULTS, ofRead),
  inspect: mapped(FAULTS, ofRead),
  // The simulator cannot refuse a connection: only the model has it.
  connect: { noConnection: { kind: 'fails', failure: 'Unreachable' } },
  post: mapped({ ...FAULTS, ...POST_FAULTS }, ofPost),
  job: { ...mapped(SHOWN_LATE, ofJob), ...mapped(CLOUD_JOB_ENDS, ({ outcome }) => ofEnd(outcome)) },
};

/** Two that are heard as the same are the same to the machine. */
export function heardAs(what: Mischief): string {
  // JSON has no Infinity.
  return what.kind === 'lasts' ? `lasts ${what.ms}` : JSON.stringify(what);
}

function mapped<From>(table: Readonly<Record<string, From>>, map: (from: From) => Mischief): Record<string, Mischief> {
  return Object.fromEntries(Object.entries(table).map(([kind, from]) => [kind, map(from)]));
}

/** @throws TypeError for a fault that a GET cannot have */
export function ofRead(fault: Fault): Mischief {
  const armed = ArmedFault.parse(fault);
  const error = answeredError('GET', armed);
  if (error !== null) return { kind: 'fails', ...told(error) };
  switch (armed.kind) {
    // The client renews its token and reads again.
    case 'tokenExpired':
      return { kind: 'slow', ms: SOON_MS };
    case 'reset':
    case 'truncate':
      return { kind: 'fails', failure: 'Unreachable' };
    case 'hang':
      return { kind: 'hangs' };
    case 'delay':
      return { kind: 'slow', ms: SLOW_MS };
    case 'wrongBody':
      return { kind: 'fails', failure: 'UnreadableAnswer' };
    default:
      throw new TypeError(`A read cannot be struck by ${armed.kind}`);
  }
}

/** @throws TypeError for a fault that is not the answer's */
export function ofPost(fault: Fault): Mischief {
  const armed = ArmedFault.parse(fault);
  const error = armed.kind === 'tokenExpired' ? errorOf('POST', ERRORS.tokenExpired) : answeredError('POST', armed);
  if (error?.sent === 'no')
    return { kind: 'fails', ...told(error), ...(error.code === 'TokenExpired' ? { tokenExpired: true as const } : {}) };
  if (error?.sent === 'refused') return { kind: 'refused', failure: failureNameOf(error) };
  if (error?.sent === 'unknown') return lost(false);
  switch (armed.kind) {
    case 'reset':
    case 'wrongBody':
      return lost(false);
    case 'hang':
      return lost(false, POST_MS);
    case 'delay':
      return { kind: 'slow', ms: SLOW_MS };
    case 'truncate':
    case 'actThenReset':
    case 'actThenStatus':
    case 'actThenWrongBody':
      return lost(true);
    case 'actThenHang':
      return lost(true, POST_MS);
    case 'actLate':
      return { ...lost(true), acceptedAfterMs: ACCEPTED_LATE_MS };
    default:
      throw new TypeError(`A POST cannot be struck by ${armed.kind}`);
  }
}

function lost(arrives: boolean, answeredAfterMs = 2 * SOON_MS): Extract<Mischief, { kind: 'lost' }> {
  return { kind: 'lost', arrives, acceptedAfterMs: SOON_MS, answeredAfterMs };
}

function ofJob(fault: Fault): Mischief {
  const armed = ArmedFault.parse(fault);
  if (armed.kind !== 'visibleLate') throw new TypeError(`${armed.kind} is no fault of what was accepted`);
  return { kind: 'lags', idMs: SHOWN_LATE_MS, statusMs: armed.statusMs === 0 ? 0 : SHOWN_LATE_MS };
}

export function ofEnd({ executionStatus = 'SUCCEEDED', instanceStatus, neverEnds, converges }: ArmedOutcome): Mischief {
  if (neverEnds === true) return { kind: 'lasts', ms: Infinity };
  if (converges === false) return { kind: 'doesNotConverge' };
  return { kind: 'ends', status: executionStatus, ...(instanceStatus === undefined ? {} : { instanceStatus }) };
}

/** Where the fault is an answer with an error, as the API client reads it; else `null`. */
function answeredError(method: 'GET' | 'POST', fault: ArmedFault): ServiceStageError | null {
  if (fault.kind === 'throttle') return errorOf(method, throttled(fault.limit, fault.windowSeconds));
  if (fault.kind === 'redirect') return errorOf(method, { status: 307, code: '', message: '' }, '');
  if (fault.kind !== 'status') return null;
  const { status, code = 'SVCSTG.00100500', message = 'armed fault', body } = fault;
  return errorOf(method, { status, code, message }, body);
}

function errorOf(method: 'GET' | 'POST', { status: httpStatus, code, message }: VendorError, body?: string) {
  const answered = body ?? JSON.stringify({ error_code: code, error_msg: message });
  return errorFromAnswer({ method, path: '/' }, { httpStatus, headers: {}, body: answered });
}

function told(error: ServiceStageError) {
  const { retryAfterMs } = error;
  return { failure: failureNameOf(error), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
