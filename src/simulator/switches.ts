/** One switch for each point that ServiceStage's documents leave open; the default is the likeliest reading. */
import { z } from 'zod';

/** All switches. */
export const Switches = z.strictObject({
  /** Whether a second action is accepted while a cloud job is in flight. */
  busy: z.enum(['reject', 'accept']).default('reject'),
  busyStatus: z.union([z.literal(409), z.literal(400)]).default(409),
  /** An action in a state in which the console would not offer it: `noop` accepts it and changes nothing. */
  wrongState: z.enum(['reject', 'noop']).default('reject'),
  /** V3 answers a missing resource with 401 and `SVCSTG.00100401`. */
  notFoundStyle: z.union([z.literal(404), z.literal(401)]).default(404),
  errorTextKey: z.enum(['error_msg', 'error_message']).default('error_msg'),
  /** The status of an instance whose cloud job failed. */
  statusAfterFailure: z.enum(['before', 'FAILED']).default('before'),
  jobType: z.string().default('DAILY_OPERATION'),
  jobKeyCase: z.enum(['upper', 'lower']).default('upper'),
  taskCount: z.int().min(0).max(1000).default(3),
  /** CodeArts: "after a rollback the instances of later versions are overwritten and cleared". */
  rollbackClearsLaterSnapshots: z.boolean().default(true),
  snapshotsListRunningVersion: z.boolean().default(false),
  /** Requests per window before 429; `null` for no limit. */
  rateLimit: z
    .strictObject({ requests: z.int().min(1), windowSeconds: z.number().positive() })
    .nullable()
    .default(null),
  tokenLifetimeSeconds: z.number().positive().default(86_400),
  /** Whether the server that the metadata service describes has an agency, whose keys it gives. */
  agency: z.boolean().default(true),
  agencyKeyLifetimeSeconds: z.number().positive().default(3_600),
  /** Whether the metadata service knows tokens, and gives keys to those who show one only. */
  metadataToken: z.enum(['offered', 'required', 'unknown']).default('offered'),
  /** Real milliseconds at time scale 1. */
  durationsMs: z
    .strictObject({
      start: z.number().positive().default(2_000),
      stop: z.number().positive().default(1_000),
      restart: z.number().positive().default(3_000),
      scale: z.number().positive().default(2_000),
      rollback: z.number().positive().default(3_000),
    })
    .prefault({}),
  /** Durations vary by this fraction, depending on the seed. */
  jitter: z.number().min(0).max(0.9).default(0.1),
  /** Time between the end of a cloud job and the new state of the instance. */
  convergeDelayMs: z.number().min(0).default(0),
  /** How long an accepted cloud job is missing from `last_job_id` and `last_job_status`. */
  visibleLateMs: z.number().min(0).default(0),
});
/** All switches, as set. */
export type Switches = z.infer<typeof Switches>;

/** A change of some switches; unknown names are errors. */
export const SwitchChange = Switches.partial();
