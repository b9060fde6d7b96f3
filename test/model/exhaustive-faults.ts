/** The faults of the exhaustive suite as the machine sees them: the product's own tables interpret what the simulator is armed with. */
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
import type { FaultEffect } from './scenario.js';

/** The requests of a run where a fault can be injected, and the cloud job of an accepted one. */
export type FaultSite = 'observe' | 'read' | 'poll' | 'inspect' | 'connect' | 'post' | 'job';

const { postTimeoutMs: POST_MS, visibilityWindowMs: WINDOW_MS } = DEFAULT_LIMITS;
/** Later than usual, but in time. */
const SLOW_MS = 2_000;
/** Accepted and shown as late as possible: waiting half a second too little would mean sending twice. */
const ACCEPTED_LATE_MS = POST_MS - 500;
const SHOWN_LATE_MS = WINDOW_MS - 500;
const SOON_MS = 20;

/** The effect on the machine, or on the first reading, of a fault that the simulator is armed with at a route. */
export function effectAt(route: string, fault: Fault): FaultEffect {
  if (route !== 'action') return ofRead(fault);
  return fault.kind === 'visibleLate' ? ofJob(fault) : ofPost(fault);
}

/** Faults with the same key are the same to the machine. */
export function effectKey(what: FaultEffect): string {
  // JSON has no Infinity.
  return what.kind === 'lasts' ? `lasts ${what.ms}` : JSON.stringify(what);
}

function mapped<From>(
  table: Readonly<Record<string, From>>,
  map: (from: From) => FaultEffect,
): Record<string, FaultEffect> {
  return Object.fromEntries(Object.entries(table).map(([kind, from]) => [kind, map(from)]));
}

type EffectTable = Partial<Readonly<Record<ArmedFault['kind'], FaultEffect>>>;

/** Faults of a read that are not error answers. */
const READ_EFFECTS: EffectTable = {
  // The client renews its token and reads again.
  tokenExpired: { kind: 'slow', ms: SOON_MS },
  delay: { kind: 'slow', ms: SLOW_MS },
  hang: { kind: 'hangs' },
  reset: { kind: 'fails', failure: 'Unreachable' },
  truncate: { kind: 'fails', failure: 'Unreachable' },
  wrongBody: { kind: 'fails', failure: 'UnreadableAnswer' },
};

/** The same for a POST. */
const POST_EFFECTS: EffectTable = {
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
  change: Pick<Extract<FaultEffect, { kind: 'lost' }>, 'arrives'> & {
    acceptedAfterMs?: number;
    answeredAfterMs?: number;
  },
): FaultEffect {
  return { kind: 'lost', acceptedAfterMs: SOON_MS, answeredAfterMs: 2 * SOON_MS, ...change };
}

/** Every kind of fault at each site, with the names that the suite on a real server uses too. */
export const SITE_FAULTS: Readonly<Record<FaultSite, Readonly<Record<string, FaultEffect>>>> = {
  observe: mapped(FAULTS, ofRead),
  read: mapped(FAULTS, ofRead),
  poll: mapped(FAULTS, ofRead),
  inspect: mapped(FAULTS, ofRead),
  // The simulator cannot refuse a connection, so only the model has this fault.
  connect: { noConnection: { kind: 'fails', failure: 'Unreachable' } },
  post: mapped({ ...FAULTS, ...POST_FAULTS }, ofPost),
  job: { ...mapped(SHOWN_LATE, ofJob), ...mapped(CLOUD_JOB_ENDS, ({ outcome }) => ofEnd(outcome)) },
};

function ofRead(fault: Fault): FaultEffect {
  const armed = ArmedFault.parse(fault);
  const error = answeredError('GET', armed);
  return error === null ? effectIn(READ_EFFECTS, armed) : { kind: 'fails', ...failureOf(error) };
}

function ofPost(fault: Fault): FaultEffect {
  const armed = ArmedFault.parse(fault);
  const error = armed.kind === 'tokenExpired' ? errorOf('POST', ERRORS.tokenExpired) : answeredError('POST', armed);
  if (error === null) return effectIn(POST_EFFECTS, armed);
  if (error.sent === 'unknown') return lost({ arrives: false });
  if (error.sent === 'refused') return { kind: 'refused', failure: failureNameOf(error) };
  return { kind: 'fails', ...failureOf(error), ...(error.code === 'TokenExpired' ? { tokenExpired: true } : {}) };
}

function effectIn(table: EffectTable, { kind }: ArmedFault): FaultEffect {
  const effect = table[kind];
  if (effect === undefined) throw new TypeError(`The model has no ${kind} for this request`);
  return effect;
}

function ofJob(fault: Fault): FaultEffect {
  const armed = ArmedFault.parse(fault);
  if (armed.kind !== 'visibleLate') throw new TypeError(`${armed.kind} is not a fault of an accepted action`);
  return { kind: 'lags', idMs: SHOWN_LATE_MS, statusMs: armed.statusMs === 0 ? 0 : SHOWN_LATE_MS };
}

export function ofEnd({
  executionStatus = 'SUCCEEDED',
  instanceStatus,
  neverEnds,
  converges,
}: ArmedOutcome): FaultEffect {
  if (neverEnds === true) return { kind: 'lasts', ms: Infinity };
  if (converges === false) return { kind: 'doesNotConverge' };
  return { kind: 'ends', status: executionStatus, ...(instanceStatus === undefined ? {} : { instanceStatus }) };
}

/** The error that the API client makes of the answer; `null` if the fault is not an error answer. */
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

function failureOf(error: ServiceStageError) {
  const { retryAfterMs } = error;
  return { failure: failureNameOf(error), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
