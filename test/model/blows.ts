/** What happens to attempts, activities, workflows and the instance from outside. */
import type { Attempt } from './attempt.js';
import type { Stage } from './play.js';
import type { Blow } from './scenario.js';

/** Doubt of a decision: a reset cleared what its attempts had left. */
export const HEARTBEATS_CLEARED = 'its heartbeats were cleared';

/** Strikes the newest attempt that lives, the pending activity, the open workflow, or the instance; nobody there: nothing happens. */
export function strike(stage: Stage, blow: Blow): void {
  const { server, cloud, time, chronicle } = stage.world;
  const attempt = server.attempts.findLast(({ isAlive }) => isAlive);
  const activity = stage.holder?.activity ?? null;
  switch (blow.kind) {
    case 'kill':
      doubt(attempt, 'an attempt was killed');
      return attempt?.kill();
    case 'freeze':
      doubt(attempt, 'an attempt was frozen');
      return attempt?.freeze(blow.forMs);
    case 'cutOff':
      doubt(attempt, 'an attempt was cut off');
      return attempt?.cutOff(blow.forMs);
    case 'stopWorker':
      attempt?.abort('stop');
      return time.after(blow.graceMs, () => {
        if (attempt?.hasEnded !== false) return;
        doubt(attempt, 'an attempt was killed');
        attempt.kill();
      });
    case 'resetActivity':
      if (activity === null) return;
      activity.request.decision?.doubts.add(blow.forgetting ? HEARTBEATS_CLEARED : 'the activity was reset');
      return server.reset(activity, blow.forgetting);
    case 'pauseActivity':
      if (activity === null) return;
      activity.request.decision?.doubts.add('the activity was paused');
      server.pause(activity);
      return time.after(blow.forMs, () => server.unpause(activity, blow.resetting));
    case 'cancel':
      return stage.holder?.cancel();
    case 'terminate':
      if (stage.holder?.isOpen === true) stage.holder.close();
      return;
    case 'terminateRun':
      // As `src/workflows/lease.ts` starts its child: it is asked to cancel, and finishes what is in flight.
      return stage.holder?.cancel();
    case 'resetWorkflow':
      return stage.reset(blow.keep, blow.rescheduled);
    case 'colleague': {
      const { action, idMs, statusMs, lasts, ends } = blow;
      const job = cloud.colleagueActs(action, { idMs, statusMs, lastsMs: lasts, status: ends });
      if (job !== null) chronicle.count('foreign jobs');
      return;
    }
    case 'delete':
      return cloud.delete();
  }
}

function doubt(attempt: Attempt | undefined, why: string): void {
  attempt?.token.activity.request.decision?.doubts.add(why);
}
