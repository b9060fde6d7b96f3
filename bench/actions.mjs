// What Temporal Cloud bills as actions, read off a history. Source: https://docs.temporal.io/cloud/actions, November 2026.

/** Actions of one event. Everything else is free: workflow tasks, memos, the end of anything. */
const ACTIONS_OF_AN_EVENT = {
  timerStarted: 1,
  upsertWorkflowSearchAttributes: 1,
  workflowExecutionSignaled: 1,
  workflowExecutionUpdateAccepted: 1,
  // One for the start and one for the attempted execution, so the child's own start counts no more.
  startChildWorkflowExecutionInitiated: 2,
};

/**
 * Heartbeats and queries are in no history, so they are not counted.
 * @param {readonly object[]} events the history of one workflow
 * @returns {number}
 */
export function actionsOf(events) {
  let actions = 0;
  let markersOf = null;
  for (const event of events) {
    const [kind, attributes] = Object.entries(event).find(
      ([key, value]) => key.endsWith('EventAttributes') && value !== null && value !== undefined,
    );
    const name = kind.replace('EventAttributes', '');
    actions += ACTIONS_OF_AN_EVENT[name] ?? 0;
    if (name === 'workflowExecutionStarted' && attributes.parentWorkflowExecution == null) actions += 1;
    // Each attempt counts; the event has the number of the last one.
    if (name === 'activityTaskStarted') actions += attributes.attempt;
    if (name === 'markerRecorded') {
      // All local activities of one workflow task are one action.
      const task = String(attributes.workflowTaskCompletedEventId);
      if (task !== markersOf) actions += 1;
      markersOf = task;
    }
  }
  return actions;
}
