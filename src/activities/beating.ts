/** Plain heartbeats beside an activity's work, so that the server soon knows when its worker is gone. */
import { Context } from '@temporalio/activity';

/** Beats three times within `timeoutMs`, the heartbeat time-out that the workflow set. */
export async function beating<Value>(timeoutMs: number, work: () => Promise<Value>): Promise<Value> {
  const context = Context.current();
  const beats = setInterval(() => context.heartbeat(), timeoutMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(beats);
  }
}
