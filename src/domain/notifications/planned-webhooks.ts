/** Decides while planning which webhooks a run notifies, and of what, so that every worker that continues the run does the same. Pure. */
import type { RunEvent } from './events.js';

/** How many webhooks a runbook may name. As many as a notifications file has. */
export const MOST_NAMED_WEBHOOKS = 20;

/** A webhook that a run notifies. */
export interface PlannedWebhook {
  readonly webhook: string;
  readonly on: readonly RunEvent[];
  /**
   * The runbook names it, but the worker that planned has no webhook of that name. The run is not refused, because who is notified must never
   * decide whether something is repaired. It is tried, since another worker may have the webhook, and the report has what came of it.
   */
  readonly unknown?: true;
}

/** A webhook and its events, as a runbook or a notifications file has them. */
interface Listener {
  readonly name: string;
  readonly on: readonly RunEvent[];
}

/**
 * @param named by the runbook, which may name a webhook several times
 * @param configured in the notifications file of the worker that plans
 */
export function plannedWebhooks(
  named: readonly { readonly webhook: string; readonly on: readonly RunEvent[] }[],
  configured: readonly Listener[],
): PlannedWebhook[] {
  const events = new Map<string, Set<RunEvent>>();
  for (const { webhook, on } of named) events.set(webhook, new Set([...(events.get(webhook) ?? []), ...on]));
  const known = new Set(configured.map(({ name }) => name));
  return [
    ...[...events].map(([webhook, on]): PlannedWebhook => {
      const planned = { webhook, on: [...on] };
      return known.has(webhook) ? planned : { ...planned, unknown: true };
    }),
    ...configured.filter(({ name }) => !events.has(name)).map(({ name, on }) => ({ webhook: name, on })),
  ];
}
