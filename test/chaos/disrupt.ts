/** Carries out a schedule: disruptions of the whole arena, and what the console, the operator and the Temporal command line do to a scene. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROGRESS_QUERY } from '../../src/domain/contract.js';
import type { RunProgress } from '../../src/domain/report/progress.js';
import type { Arena } from './arena.js';
import { command } from './orders.js';
import type { PlayedScene } from './gather.js';
import type { Moment, SceneEvent, WorldEvent } from './schedule.js';

const MOMENT_DEADLINE_MS = 25_000;
const MOMENT_POLL_MS = 80;
/** Polled often, because a fault that only delays an answer is over soon. */
const FAULT_POLL_MS = 10;

/** @returns `false` if the moment never comes: the run has ended, or took another course */
export async function comes(arena: Arena, played: PlayedScene, { after, nth }: Moment): Promise<boolean> {
  const giveUpAtMs = Date.now() + MOMENT_DEADLINE_MS;
  while (!(await IS_THERE[after](arena, played, nth))) {
    if (Date.now() > giveUpAtMs) return false;
    await delay(after === 'faultHit' ? FAULT_POLL_MS : MOMENT_POLL_MS);
  }
  return true;
}

async function progressOf(arena: Arena, { workflowIds }: PlayedScene): Promise<RunProgress | null> {
  return arena.client
    .withDeadline(Date.now() + 2_000, () =>
      arena.client.workflow.getHandle(workflowIds[0] ?? '').query<RunProgress>(PROGRESS_QUERY),
    )
    .catch(() => null);
}

type IsThere = (arena: Arena, played: PlayedScene, nth: number) => Promise<boolean>;

const IS_THERE: Readonly<Record<Moment['after'], IsThere>> = {
  start: () => Promise.resolve(true),
  lease: (arena, played) => isHeld(arena, played),
  accepted: async (arena, played, nth) => (await oursAccepted(arena, played)) >= nth,
  blocked: async (arena, played) =>
    (await progressOf(arena, played))?.targets.some(({ blocked }) => blocked !== undefined) === true,
  asked: async (arena, played, nth) => {
    const progress = await progressOf(arena, played);
    const ofStep = progress?.targets.some(({ approval }) => approval !== undefined) === true;
    return nth === 1 ? progress?.approval !== undefined : ofStep;
  },
  paused: async (arena, played) => (await progressOf(arena, played))?.pause?.state === 'paused',
  faultHit: async (arena, { instanceId }, nth) => {
    const armed = (await arena.control.faults()).filter(({ on }) => on?.instanceId === instanceId);
    return (armed[nth - 1]?.hitAtMs.length ?? 0) > 0;
  },
};

async function isHeld(arena: Arena, { leaseId: lease }: PlayedScene): Promise<boolean> {
  const description = await arena.client.workflow
    .getHandle(lease)
    .describe()
    .catch(() => null);
  return description?.status.name === 'RUNNING';
}

async function oursAccepted(arena: Arena, { instanceId }: PlayedScene): Promise<number> {
  return (await arena.control.accepted(instanceId)).filter(({ byConsole }) => !byConsole).length;
}

export async function persistently<Value>(ask: () => Promise<Value>, most = 60): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === most) throw error;
      await delay(500);
    }
  }
}

export async function happen(arena: Arena, event: WorldEvent): Promise<void> {
  switch (event.kind) {
    case 'killWorker':
      await arena.killWorker(event.worker, event.signal);
      await delay(event.forMs);
      return arena.startWorker(event.worker);
    case 'freezeWorker': {
      const frozen = arena.worker(event.worker);
      await frozen?.kill('SIGSTOP');
      await delay(event.forMs);
      return frozen?.kill('SIGCONT');
    }
    case 'stopServer':
      await arena.stopServer(event.signal);
      await delay(event.forMs);
      return arena.startServer();
    case 'cut':
    case 'stall': {
      const link = arena.link(event.worker, event.link);
      link[event.kind]();
      await delay(event.forMs);
      return link.restore();
    }
    case 'expireTokens':
      await arena.control.expireTokens();
      return;
    case 'throttleAll': {
      const { requests, windowSeconds } = event;
      await arena.control.switches({ rateLimit: { requests, windowSeconds } });
      await delay(event.forMs);
      await arena.control.switches({ rateLimit: null });
      return;
    }
  }
}

const run = promisify(execFile);

/** The Temporal command line, as an operator types it. */
async function temporal(arena: Arena, ...args: string[]): Promise<string> {
  const { stdout } = await run(arena.temporalProgram, [...args, '--address', arena.temporalAddress], {
    timeout: 20_000,
  });
  return stdout;
}

/** @returns whether it could be done: its target may have ended, and the server may be unreachable */
export async function happenTo(arena: Arena, played: PlayedScene, event: SceneEvent): Promise<boolean> {
  const { instanceId, leaseId: lease, workflowIds } = played;
  try {
    switch (event.kind) {
      case 'freezeWorker':
      case 'killWorker':
        await happen(arena, event);
        return true;
      case 'console': {
        const { kind: _kind, ...action } = event;
        await arena.control.console({ instanceId, ...action });
        return true;
      }
      case 'cancel':
        await temporal(arena, 'workflow', 'cancel', '--workflow-id', workflowIds[event.run] ?? '');
        return true;
      case 'terminateRun':
      case 'terminateTarget': {
        const workflowId = event.kind === 'terminateRun' ? (workflowIds[event.run] ?? '') : lease;
        await temporal(arena, 'workflow', 'terminate', '--workflow-id', workflowId, '--reason', 'chaos');
        return true;
      }
      case 'command': {
        const name = `${played.scene.name}-${played.disturbances.length}-${Date.now()}`;
        played.sendings.push(...(await command(arena, played, { ...event, name })));
        return true;
      }
      case 'resetActivity': {
        const activityId = await pendingActivityId(arena, lease);
        if (activityId === null) return false;
        const forgetting = event.forgetting === true ? ['--reset-heartbeats'] : [];
        await temporal(arena, 'activity', 'reset', '--workflow-id', lease, '--activity-id', activityId, ...forgetting);
        return true;
      }
      case 'pauseActivity': {
        const activityId = await pendingActivityId(arena, lease);
        if (activityId === null) return false;
        const which = ['--workflow-id', lease, '--activity-id', activityId];
        await temporal(arena, 'activity', 'pause', ...which);
        await delay(event.forMs);
        await persistently(() => temporal(arena, 'activity', 'unpause', ...which), 15).catch(ignoreEnded);
        return true;
      }
      case 'resetTarget': {
        const type = event.to === 'first' ? 'FirstWorkflowTask' : 'LastWorkflowTask';
        await temporal(arena, 'workflow', 'reset', '--workflow-id', lease, '--type', type, '--reason', 'chaos');
        return true;
      }
    }
  } catch (error) {
    return !isNotFound(error);
  }
}

/** The activity may have ended while it was paused, so that there is nothing to unpause. */
function ignoreEnded(): string {
  return '';
}

/** True if the target had ended, or had not begun. After any other error the server may have carried out the request all the same. */
function isNotFound(error: unknown): boolean {
  return /not found|already completed|not running/i.test(String(error));
}

async function pendingActivityId(arena: Arena, workflowId: string): Promise<string | null> {
  const { raw } = await arena.client.workflow.getHandle(workflowId).describe();
  return raw.pendingActivities?.[0]?.activityId ?? null;
}
