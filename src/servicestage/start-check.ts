/** Asks ServiceStage and IAM once when a worker starts, to find problems before a run does. */
import { setTimeout as delay } from 'node:timers/promises';
import { clockProblem } from '../domain/time/clock-problem.js';
import { DEFAULT_THROTTLE_MS } from './classify-answer.js';
import { ServiceStageError } from './errors.js';
import type { ServiceStage } from './service-stage.js';

type Asked = Pick<ServiceStage, 'ownUserId' | 'listApplications' | 'clockAheadMs'>;

const REMEDY =
  'If the answer to an action is lost, its cloud job may then not be recognized as ours, and the step retries until its deadline or ends Indeterminate. Set SERVICESTAGE_USER_ID to the id of the IAM user that the worker signs in as';

/** Chosen: one 429 is usual where many workers start at once; three in a row, each after the pause that was asked for, need a person. */
const MOST_TRIES = 3;
/** Chosen: longer pauses are cut, so that the warning comes within minutes and not a day later. */
const LONGEST_PAUSE_MS = 120_000;

/** Waits that many milliseconds. */
type Pause = (ms: number) => Promise<void>;

/** A worker that ends meanwhile does not wait for it. */
const pauseUnawaited: Pause = (ms) => delay(ms, undefined, { ref: false });

/**
 * Returns each warning once, with its remedy; none if all is well. The worker starts in any case. Asks IAM or ServiceStage, or
 * both, once each, and again only where they throttle.
 * @param timeoutMs limit of each request
 */
export async function startWarnings(
  serviceStage: Asked,
  timeoutMs: number,
  pause: Pause = pauseUnawaited,
): Promise<readonly string[]> {
  const asking: Asking = { serviceStage, timeoutMs, pause };
  const who = await whoWeAre(asking);
  // Any answer contains the clock. If IAM was not asked, ask ServiceStage.
  const refused = serviceStage.clockAheadMs() === null ? await refusal(asking) : null;
  const clock = clockProblem(serviceStage.clockAheadMs());
  return [
    ...(who === null ? [] : [`${who}. ${REMEDY}`]),
    ...(refused === null ? [] : [`ServiceStage does not list applications: ${refused}`]),
    ...(clock === null
      ? []
      : [
          `${clock}. Correct the clock (NTP): it dates evidence, and from 15 minutes on, signatures of an access key are refused`,
        ]),
  ];
}

interface Asking {
  readonly serviceStage: Asked;
  readonly timeoutMs: number;
  readonly pause: Pause;
}

async function whoWeAre({ serviceStage, timeoutMs, pause }: Asking): Promise<string | null> {
  try {
    const userId = await unlessThrottled(() => serviceStage.ownUserId({ timeoutMs }), pause);
    return userId === null ? 'IAM refuses to report our user id' : null;
  } catch (error) {
    return `IAM did not report our user id: ${reasonOf(error)}`;
  }
}

async function refusal({ serviceStage, timeoutMs, pause }: Asking): Promise<string | null> {
  try {
    await unlessThrottled(() => serviceStage.listApplications({ timeoutMs }), pause);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Asks again after a 429, which shows nothing about clock, user or permissions. @throws what `ask` throws, the 429 of the last try included */
async function unlessThrottled<Value>(ask: () => Promise<Value>, pause: Pause): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries >= MOST_TRIES || !(error instanceof ServiceStageError) || error.code !== 'Throttled') throw error;
      await pause(Math.min(error.retryAfterMs ?? DEFAULT_THROTTLE_MS, LONGEST_PAUSE_MS));
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
