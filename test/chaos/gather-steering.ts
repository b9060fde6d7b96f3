/** What a history has of steering: Updates that were accepted, the state that a run showed, and the orders that a target received. */
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import { searchAttributePayloadConverter } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { STATE_SEARCH_ATTRIBUTE, STEER_SIGNAL } from '../../src/domain/contract.js';
import type { Steered } from './evidence.js';
import { timeOf, type HistoryEvent } from './history-events.js';

export async function steeringIn(client: Client, events: readonly HistoryEvent[]): Promise<Steered> {
  const accepted: Steered['accepted'][number][] = [];
  const states: Steered['states'][number][] = [];
  const orders: Steered['orders'][number][] = [];
  const decoded = (payloads: Parameters<typeof decodeArrayFromPayloads>[1]) =>
    decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  for (const event of events) {
    const eventId = Number(event.eventId);
    const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
    if (update) {
      const [given] = await decoded(update.args?.payloads);
      const { actor } = given as { actor: string };
      accepted.push({ command: update.name ?? '', actor, atMs: timeOf(event), eventId });
    }
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (signal?.signalName === STEER_SIGNAL) {
      const [given] = await decoded(signal.input?.payloads);
      orders.push({ ...(given as { paused: boolean; order: number }), eventId });
    }
    const fields = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    const state = fields?.[STATE_SEARCH_ATTRIBUTE];
    if (state) states.push({ state: textOf(searchAttributePayloadConverter.fromPayload(state)), atMs: timeOf(event) });
  }
  const cancel = events.find((event) => event.workflowExecutionCancelRequestedEventAttributes);
  return { accepted, states, orders, cancelRequestedEventId: cancel === undefined ? null : Number(cancel.eventId) };
}

function textOf(value: unknown): string | null {
  const [text] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return typeof text === 'string' ? text : null;
}

/** @returns the event after which the workflow task began that ended with this event */
export function startOfTask(events: readonly HistoryEvent[], completedEventId: unknown): number {
  const completed = events.find(({ eventId }) => String(eventId) === String(completedEventId));
  return Number(completed?.workflowTaskCompletedEventAttributes?.startedEventId ?? completedEventId);
}
