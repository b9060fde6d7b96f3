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

/** What the machine, or the first reading, hears of a fault that the simulator is armed with at a route. */
export function heardAt(route: string, fault: Fault): Mischief {
  if (route !== 'action') return ofRead(fault);
  return fault.kind === 'visibleLate' ? ofJob(fault) : ofPost(fault);
}

/** Two that are heard as the same are the same to the machine. */
export function heardAs(what: Mischief): string {
  // JSON has no Infinity.
  return what.kind === 'lasts' ? `lasts ${what.ms}` : JSON.stringify(what);
}

function mapped<From>(table: Readonly<Record<string, From>>, map: (from: From) => Mischief): Record<string, Mischief> {
  return Object.fromEntries(Object.entries(table).map(([kind, from]) => [kind, map(from)]));
}

type Heard = Partial<Readonly<Record<ArmedFault['kind'], Mischief>>>;

/** Faults of a read that are no answer with an error. */
const READ_HEARS: Heard = {
  // The client renews its token and reads again.
  tokenExpired: { kind: 'slow', ms: SOON_MS },
  delay: { kind: 'slow', ms: SLOW_MS },
  hang: { kind: 'hangs' },
  reset: { kind: 'fails', failure: 'Unreachable' },
  truncate: { kind: 'fails', failure: 'Unreachable' },
  wrongBody: { kind: 'fails', failure: 'UnreadableAnswer' },
};

/** Those of a POST. */
const POST_HEARS: Heard = {
  delay: { kind: 'slow', ms: SLOW_MS },
  reset: lost({ arrives: false }),
  wrongBody: lost({ arrives: false }),
  hang: lost({ arrives: false, answeredAfterMs: POST_MS }),
  truncate: lost({ arrives: true }),
  actThenReset: lost({ arrives: true }),
  actThenStatus: lost({ arrives: true }),
  actThenWrongBody: lost({ arrives: true }),
  actThenHang: lost({ arrives: true, answeredAfterMs: POST_MS }),
  actLate: lost({ arrives: true, acceptedAfterMs: ACCEPTED_LATE_MS }),
};

function lost(
  change: Pick<Extract<Mischief, { kind: 'lost' }>, 'arrives'> & { acceptedAfterMs?: number; answeredAfterMs?: number },
): Mischief {
  return { kind: 'lost', acceptedAfterMs: SOON_MS, answeredAfterMs: 2 * SOON_MS, ...change };
}

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

function ofRead(fault: Fault): Mischief {
  const armed = ArmedFault.parse(fault);
  const error = answeredError('GET', armed);
  return error === null ? heardIn(READ_HEARS, armed) : { kind: 'fails', ...told(error) };
}

function ofPost(fault: Fault): Mischief {
  const armed = ArmedFault.parse(fault);
  const error = armed.kind === 'tokenExpired' ? errorOf('POST', ERRORS.tokenExpired) : answeredError('POST', armed);
  if (error === null) return heardIn(POST_HEARS, armed);
  if (error.sent === 'unknown') return lost({ arrives: false });
  if (error.sent === 'refused') return { kind: 'refused', failure: failureNameOf(error) };
  return { kind: 'fails', ...told(error), ...(error.code === 'TokenExpired' ? { tokenExpired: true } : {}) };
}

function heardIn(table: Heard, { kind }: ArmedFault): Mischief {
  const heard = table[kind];
  if (heard === undefined) throw new TypeError(`The model has no ${kind} for this request`);
  return heard;
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
