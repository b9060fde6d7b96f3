/** Plays one schedule in an arena, waits until every run has ended, and gathers the evidence. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WorkflowNotFoundError } from '@temporalio/client';
import { leaseId } from '../../src/domain/target.js';
import type { ShownInstance } from '../support/simulator.js';
import { ARENA_LIMITS, type Arena } from './arena.js';
import type { Disturbance, Evidence } from './evidence.js';
import { gatherScene, type PlayedScene } from './gather.js';
import type { Moment, Scene, SceneEvent, Schedule, WorldEvent } from './schedule.js';

/** A run that has not ended this long after the storm does not end: deadlines and settling add up to less. */
const END_DEADLINE_MS = 150_000;
const POLL_MS = 250;
const MOMENT_DEADLINE_MS = 25_000;
const MOMENT_POLL_MS = 80;

export async function runSchedule(arena: Arena, schedule: Schedule): Promise<Evidence> {
  await arena.control.clearFaults();
  await arena.control.switches(schedule.switches);
  const scenes = await Promise.all(schedule.scenes.map((scene) => stage(arena, schedule, scene)));
  const startedAtMs = Date.now();
  const disturbances: Disturbance[] = [];
  const starvation = watchForStarvation(disturbances);
  await Promise.all([
    ...schedule.events.map(async ({ atMs, event }) => {
      await until(startedAtMs + atMs);
      const beganAtMs = Date.now();
      await happen(arena, event);
      const link = 'link' in event ? { link: event.link } : {};
      disturbances.push({ kind: event.kind, atMs: beganAtMs, untilMs: Date.now(), ...link });
    }),
    ...scenes.map((scene) => play(arena, scene, startedAtMs)),
  ]);
  await arena.heal();
  await untilAllEnded(arena, scenes);
  clearInterval(starvation);
  return {
    seed: schedule.seed,
    limits: ARENA_LIMITS,
    scenes: await Promise.all(scenes.map((scene) => gatherScene(arena, scene))),
    disturbances: [...disturbances, ...arena.takeIncidents()],
  };
}

const STARVED_MS = 400;

/** Where this process gets no processor for so long, the workers beside it do not either: their limits are shorter than that. */
function watchForStarvation(disturbances: Disturbance[]): NodeJS.Timeout {
  let lastMs = Date.now();
  return setInterval(() => {
    const nowMs = Date.now();
    if (nowMs - lastMs > STARVED_MS) disturbances.push({ kind: 'starved', atMs: lastMs, untilMs: nowMs });
    lastMs = nowMs;
  }, 100);
}

async function stage(arena: Arena, { seed }: Schedule, scene: Scene): Promise<PlayedScene> {
  const { control } = arena;
  const { instanceId } = await control.createInstance({
    application: 'shop',
    component: 'checkout',
    name: `seed${seed}-${scene.name}`,
    status: scene.status,
    version: '1.4.1',
    replica: 2,
    snapshots: ['1.3.2', '1.4.0'],
  });
  for (const { on, ...fault } of scene.faults) await control.fault({ ...fault, on: { ...on, instanceId } });
  for (const outcome of scene.outcomes) await control.outcome({ instanceId, ...outcome });
  const initial: ShownInstance = await control.instance(instanceId);
  return {
    scene,
    instanceId,
    path: `shop/checkout/seed${seed}-${scene.name}`,
    leaseId: leaseId({ projectId: arena.simulator.projectId, instanceId }),
    initial,
    workflowIds: scene.runs.map((_run, index) => `seed${seed}-${scene.name}-run${index}`),
    disturbances: [],
  };
}

async function play(arena: Arena, played: PlayedScene, startedAtMs: number): Promise<void> {
  const { scene, workflowIds, path, disturbances } = played;
  await Promise.all([
    ...scene.runs.map(async ({ atMs, runbook, inputs }, index) => {
      await until(startedAtMs + atMs);
      const id = workflowIds[index] ?? '';
      // The id makes it safe to ask again when the server was away.
      await persistently(() => arena.runbooks.start(runbook, { targets: [path], inputs, requestedBy: 'chaos', id }));
    }),
    ...scene.events.map(async ({ moment, event }) => {
      await until(startedAtMs + (scene.runs[0]?.atMs ?? 0));
      if (!(await comes(arena, played, moment))) return;
      await delay(moment.delayMs);
      const beganAtMs = Date.now();
      // Also where it failed: the server may have taken what the command line took for refused.
      if (await happenTo(arena, played, event))
        disturbances.push({ kind: event.kind, atMs: beganAtMs, untilMs: Date.now() });
    }),
  ]);
}

/** @returns `false` where the moment never comes: the run has ended, or goes another way */
async function comes(arena: Arena, played: PlayedScene, { after, nth }: Moment): Promise<boolean> {
  if (after === 'start') return true;
  const giveUpAtMs = Date.now() + MOMENT_DEADLINE_MS;
  while (Date.now() < giveUpAtMs) {
    const isThere = after === 'lease' ? await isHeld(arena, played) : (await oursAccepted(arena, played)) >= nth;
    if (isThere) return true;
    await delay(MOMENT_POLL_MS);
  }
  return false;
}

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

async function until(atMs: number): Promise<void> {
  await delay(Math.max(0, atMs - Date.now()));
}

async function persistently<Value>(ask: () => Promise<Value>, most = 60): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === most) throw error;
      await delay(500);
    }
  }
}

async function happen(arena: Arena, event: WorldEvent): Promise<void> {
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
      return link.mend();
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

/** @returns whether it could be done: what it is aimed at may have ended, and the server may be away */
async function happenTo(arena: Arena, played: PlayedScene, event: SceneEvent): Promise<boolean> {
  const { instanceId, leaseId: lease, workflowIds } = played;
  try {
    switch (event.kind) {
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
      case 'resetActivity': {
        const activityId = await pendingActivityId(arena, lease);
        if (activityId === null) return false;
        await temporal(arena, 'activity', 'reset', '--workflow-id', lease, '--activity-id', activityId);
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
    return !isGone(error);
  }
}

/** The activity may have ended while it was paused: there is nothing left to go on with. */
function ignoreEnded(): string {
  return '';
}

/** What it was aimed at had ended, or had not begun. Anything else may have been taken by the server all the same. */
function isGone(error: unknown): boolean {
  return /not found|already completed|not running/i.test(String(error));
}

async function pendingActivityId(arena: Arena, workflowId: string): Promise<string | null> {
  const { raw } = await arena.client.workflow.getHandle(workflowId).describe();
  return raw.pendingActivities?.[0]?.activityId ?? null;
}

/** Runs and their targets: a reset leaves a target that goes on although its run has ended. */
async function untilAllEnded(arena: Arena, scenes: readonly PlayedScene[]): Promise<void> {
  const giveUpAtMs = Date.now() + END_DEADLINE_MS;
  const open = new Set(scenes.flatMap(({ workflowIds, leaseId: lease }) => [...workflowIds, lease]));
  while (open.size > 0 && Date.now() < giveUpAtMs) {
    for (const workflowId of open) if (await hasEnded(arena, workflowId)) open.delete(workflowId);
    await delay(POLL_MS);
  }
}

async function hasEnded(arena: Arena, workflowId: string): Promise<boolean> {
  try {
    const { status } = await persistently(async () => {
      try {
        return await arena.client.workflow.getHandle(workflowId).describe();
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { status: { name: 'NEVER_STARTED' } };
        throw error;
      }
    });
    return status.name !== 'RUNNING';
  } catch {
    return false;
  }
}
