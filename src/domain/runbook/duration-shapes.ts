/** The shapes of durations in files: runbooks, schedules and alarms take them the same way. */
import { z } from 'zod';
import { LONGEST_WAIT_MS, LONGEST_WAIT_REMEDY } from '../gates/gates.js';
import { DURATION_PATTERN, DURATION_REMEDY, durationMs } from '../time/duration.js';

/** A duration as files write it: every shape that takes one checks it by this. */
export const durationText = z
  .string(DURATION_REMEDY)
  .regex(DURATION_PATTERN, { error: DURATION_REMEDY, abort: true })
  .refine((text) => durationMs(text) !== null, DURATION_REMEDY);
/** `waitAtMost` of every shape that has it. */
export const waitingText = durationText.refine(
  (text) => (durationMs(text) ?? 0) <= LONGEST_WAIT_MS,
  LONGEST_WAIT_REMEDY,
);
