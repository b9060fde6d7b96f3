/** Plays one schedule in an arena, waits until every run has ended, and gathers the evidence. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { leaseId } from '../../src/domain/target/target.js';
import type { ShownInstance } from '../support/simulator.js';
import { ARENA_LIMITS, type Arena } from './arena.js';
import type { Disturbance, Evidence } from './evidence.js';
import { gatherScene, type PlayedScene } from './gather.js';
import { letContinue } from './orders.js';
import type { CheckMode, Scene, SceneEvent, Schedule } from './schedule.js';
import { comes, happen, happenTo, persistently } from './disrupt.js';

/** A run that has not ended this long after the storm never ends: deadlines and settling add up to less. */
const END_DEADLINE_MS = 150_000;
const POLL_MS = 250;
/** How long a run that another one resumes may take. */
const RESUME_DEADLINE_MS = 40_000;
/** How often a run that is still paused after the storm is let continue. */
const CONTINUE_EVERY_MS = 2_000;

export async function runSchedule(arena: Arena, schedule: Schedule): Promise<Evidence> {
  await arena.control.clearFaults();
  await arena.control.switches(schedule.switches);
  arena.audience.answers(schedule.receiver);
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
    ...scenes.map((scene) => play(arena, scene, startedAtMs, disturbances)),
  ]);
  await arena.heal();
  await untilAllEnded(arena, scenes);
  clearInterval(starvation);
  return {
    seed: schedule.seed,
    limits: ARENA_LIMITS,
    scenes: await Promise.all(scenes.map((scene) => gatherScene(arena, scene))),
    disturbances: [...disturbances, ...arena.drainIncidents()],
  };
}

const STARVED_MS = 400;

/** If this process gets no CPU for this long, neither do the workers beside it, whose limits are shorter. */
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
    sendings: [],
  };
}

async function play(arena: Arena, played: PlayedScene, startedAtMs: number, ofAll: Disturbance[]): Promise<void> {
  const { scene, workflowIds, path } = played;
  await Promise.all([
    ...scene.runs.map(async ({ atMs, runbook, inputs: given, resumes }, index) => {
      await until(startedAtMs + atMs);
      const id = workflowIds[index] ?? '';
      if (resumes !== undefined) return resume(arena, played, resumes, id);
      const inputs = withAddresses(arena, scene.name, given);
      // The id makes it safe to retry after the server was unreachable.
      await persistently(() => arena.runbooks.start(runbook, { targets: [path], inputs, requestedBy: 'chaos', id }));
      return undefined;
    }),
    ...scene.events.map(async ({ moment, event }) => {
      await until(startedAtMs + (scene.runs[0]?.atMs ?? 0));
      if (!(await comes(arena, played, moment))) return;
      await delay(moment.delayMs);
      const beganAtMs = Date.now();
      // Also after an error: the server may have carried out what the command line reported as refused.
      if (await happenTo(arena, played, event))
        ('worker' in event ? ofAll : played.disturbances).push({
          kind: kindOf(event),
          atMs: beganAtMs,
          untilMs: Date.now(),
        });
    }),
  ]);
}

/** An abort is a cancel with a name. */
function kindOf(event: SceneEvent): string {
  return event.kind === 'command' && event.orders.some(({ command }) => command === 'abort') ? 'abort' : event.kind;
}

const CHECK = 'check:';

function withAddresses(arena: Arena, scene: string, inputs: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      typeof value === 'string' && value.startsWith(CHECK)
        ? arena.audience.checkUrl(value.slice(CHECK.length) as CheckMode, `${scene}-${Date.now()}`)
        : value,
    ]),
  );
}

/** A run that succeeded, or left no report, is not resumed. */
async function resume(arena: Arena, { workflowIds }: PlayedScene, resumed: number, id: string): Promise<void> {
  const workflowId = workflowIds[resumed] ?? '';
  const giveUpAtMs = Date.now() + RESUME_DEADLINE_MS;
  while (!(await hasEnded(arena, workflowId)) && Date.now() < giveUpAtMs) await delay(POLL_MS);
  await arena.runbooks.resumeFailed(workflowId, { requestedBy: 'chaos', id }).catch(() => null);
}

async function until(atMs: number): Promise<void> {
  await delay(Math.max(0, atMs - Date.now()));
}

/** Runs and their targets: a reset leaves a target that continues although its run has ended. */
async function untilAllEnded(arena: Arena, scenes: readonly PlayedScene[]): Promise<void> {
  const giveUpAtMs = Date.now() + END_DEADLINE_MS;
  const open = new Set(scenes.flatMap(({ workflowIds, leaseId: lease }) => [...workflowIds, lease]));
  let continuedAtMs = Date.now();
  while (open.size > 0 && Date.now() < giveUpAtMs) {
    if (Date.now() > continuedAtMs + CONTINUE_EVERY_MS) {
      for (const scene of scenes)
        for (const workflowId of scene.workflowIds)
          if (open.has(workflowId)) await letContinue(arena, scene, workflowId);
      continuedAtMs = Date.now();
    }
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
