/** What notifications add to the histories of a run and its targets, at most. Pure. */
import { mostMessages } from '../notifications/notification-reports.js';
import { MEMO_REPORT_BYTES } from '../sizes.js';
import type { Plan, PlannedStep } from './plan.js';

/** The longest message, and what came of it without the webhooks; see domain/notifications/notification.ts. */
const MESSAGE_BYTES = 6_000;
/** The name of a webhook, and why it was not notified. */
const DELIVERY_BYTES = 500;
/** An activity, a timer until the next reminder, and their workflow tasks. */
const EVENTS_OF_MESSAGE = 12;
/** A timer, and the signal to the run with its workflow task. */
const EVENTS_OF_LATE_STEP = 8;

/** The events in the history of the run. */
export function messageEvents(plan: Plan): number {
  const late = plan.targets.reduce((total, { steps }) => total + lateStepEvents(plan, steps), 0);
  return messages(plan) * EVENTS_OF_MESSAGE + late;
}

/** The events in the history of a target's workflow. */
export function lateStepEvents({ notify }: Plan, steps: readonly PlannedStep[]): number {
  return notify?.some(({ on }) => on.includes('late')) === true ? steps.length * EVENTS_OF_LATE_STEP : 0;
}

/** Bytes in the history of the run, besides what each event takes. The report is stored once more. */
export function messagesBytes(plan: Plan): number {
  if (plan.notify === undefined) return 0;
  return messages(plan) * (MESSAGE_BYTES + plan.notify.length * DELIVERY_BYTES) + MEMO_REPORT_BYTES;
}

/** A blocked step may be two events, for different webhooks. */
function messages({ notify, targets }: Plan): number {
  if (notify === undefined) return 0;
  const { blocked, ...others } = mostMessages(targets.length);
  return 2 * blocked + Object.values(others).reduce((total, most) => total + most, 0);
}
