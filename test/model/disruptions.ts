/** Disruptions of attempts, activities, workflows and the instance. */
import type { Attempt } from './attempt.js';
import type { Stage } from './play.js';
import type { Disruption } from './scenario.js';

/** Reason for doubt about a decision: a reset cleared what its attempts had left. */
export const HEARTBEATS_CLEARED = 'its heartbeats were cleared';

/** Hits the newest attempt that is alive, the pending activity, the open workflow, or the instance. Does nothing if there is none. */
export function disrupt(stage: Stage, disruption: Disruption): void {
  const { server, cloud, time, truth } = stage.world;
  const attempt = server.attempts.findLast(({ isAlive }) => isAlive);
  const activity = stage.holder?.activity ?? null;
  switch (disruption.kind) {
    case 'kill':
      doubt(attempt, 'an attempt was killed');
      return attempt?.kill();
    case 'freeze':
      doubt(attempt, 'an attempt was frozen');
      return attempt?.freeze(disruption.forMs);
    case 'cutOff':
      doubt(attempt, 'an attempt was cut off');
      return attempt?.cutOff(disruption.forMs);
    case 'stopWorker':
      attempt?.abort('stop');
      return time.after(disruption.graceMs, () => {
        if (attempt?.hasEnded !== false) return;
        doubt(attempt, 'an attempt was killed');
        attempt.kill();
      });
    case 'resetActivity':
      if (activity === null) return;
      activity.request.decision?.doubts.add(disruption.forgetting ? HEARTBEATS_CLEARED : 'the activity was reset');
      return server.reset(activity, disruption.forgetting);
    case 'pauseActivity':
      if (activity === null) return;
      activity.request.decision?.doubts.add('the activity was paused');
      server.pause(activity);
      return time.after(disruption.forMs, () => server.unpause(activity, disruption.resetting));
    case 'cancel':
      return stage.holder?.cancel();
    case 'terminate':
      if (stage.holder?.isOpen === true) stage.holder.close();
      return;
    case 'terminateRun':
      // As in `src/workflows/lease.ts`: the child is asked to cancel, and finishes what is in flight.
      return stage.holder?.cancel();
    case 'resetWorkflow':
      return stage.reset(disruption.keep, disruption.rescheduled);
    case 'foreignAction': {
      const { action, idMs, statusMs, lasts, ends } = disruption;
      const job = cloud.foreignAction(action, { idMs, statusMs, lastsMs: lasts, status: ends });
      if (job !== null) truth.count('foreign jobs');
      return;
    }
    case 'delete':
      return cloud.delete();
  }
}

function doubt(attempt: Attempt | undefined, why: string): void {
  attempt?.token.activity.request.decision?.doubts.add(why);
}
