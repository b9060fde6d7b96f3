/** Plain heartbeats beside an activity's work, so that the server soon knows when its worker is gone. */
import { Context } from '@temporalio/activity';

/** Beats three times within `timeoutMs`, the heartbeat time-out that the workflow set, with what `details` gives at that moment. */
export async function beating<Value>(
  timeoutMs: number,
  work: () => Promise<Value>,
  details: () => unknown = () => undefined,
): Promise<Value> {
  const context = Context.current();
  const beats = setInterval(() => context.heartbeat(details()), timeoutMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(beats);
  }
}
