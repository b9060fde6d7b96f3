/** The closed set of events that webhooks are notified of. Pure. */

/** What a webhook can be notified of. */
export const RUN_EVENTS = ['waiting', 'paused', 'failed', 'indeterminate', 'compensated', 'done', 'late'] as const;
/** One of them. */
export type RunEvent = (typeof RUN_EVENTS)[number];

/** The events of a webhook that names none: all that may need a person. `done` is left out, since most runs end well. */
export const DEFAULT_EVENTS: readonly RunEvent[] = RUN_EVENTS.filter((event) => event !== 'done');
