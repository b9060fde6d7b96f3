/** Sends the commands of an operator to a run of a scene: through the client or as a plain Update, one or two at once, repeated with the same key. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { PROGRESS_QUERY } from '../../src/domain/contract.js';
import type { RunProgress } from '../../src/domain/report/progress.js';
import { isCommandOf, type CommandName } from '../../src/domain/steering/command-names.js';
import type { CommandAnswer } from '../../src/domain/steering/commands.js';
import { CommandRejected, RunEnded } from '../../src/temporal/errors.js';
import type { Arena } from './arena.js';
import type { PlayedScene } from './gather.js';
import type { Sending } from './evidence.js';
import type { Order } from './schedule.js';

/** How long a command waits for a worker, or for the server, before its result counts as unknown. */
const PATIENCE_MS = 12_000;

/** @param name distinguishes these commands from all others of the storm: actors and keys are made of it */
export async function command(
  arena: Arena,
  played: PlayedScene,
  { run, orders, name }: { readonly run: number; readonly orders: readonly Order[]; readonly name: string },
): Promise<readonly Sending[]> {
  const workflowId = played.workflowIds[run] ?? '';
  const sent = orders.flatMap((order, index) => {
    const actor = order.byRequester === true ? 'chaos' : `${name}-${index}`;
    const key = `${name}-${index}`;
    return Array.from({ length: order.times }, () => send(arena, played, workflowId, { ...order, actor, key }));
  });
  return Promise.all(sent);
}

type SentOrder = Order & { readonly actor: string; readonly key: string };

async function send(arena: Arena, played: PlayedScene, workflowId: string, order: SentOrder): Promise<Sending> {
  const sentAtMs = Date.now();
  const { command: name, via, actor, key } = order;
  const sending = { command: name, via, actor, key, workflowId, sentAtMs };
  try {
    const answer = await (order.via === 'client'
      ? byClient(arena, workflowId, order)
      : byUpdate(arena, played, workflowId, order));
    return {
      ...sending,
      result: answer.repeated ? 'repeated' : 'accepted',
      answeredAtMs: Date.now(),
      state: answer.state,
    };
  } catch (error) {
    return {
      ...sending,
      result: isRefusal(error) ? 'refused' : 'unknown',
      answeredAtMs: Date.now(),
      state: String(error).slice(0, 300),
    };
  }
}

function byClient(arena: Arena, workflowId: string, { command: name, actor, key }: SentOrder): Promise<CommandAnswer> {
  return arena.runbooks[name](workflowId, { actor, key, reason: REASON, patienceMs: PATIENCE_MS });
}

const REASON = 'a storm';

/** As from another SDK. */
async function byUpdate(
  { client }: Arena,
  { leaseId }: PlayedScene,
  workflowId: string,
  { command: name, actor, key }: SentOrder,
): Promise<CommandAnswer> {
  const handle = client.workflow.getHandle(isCommandOf('target', name) ? leaseId : workflowId);
  return client.withDeadline(Date.now() + PATIENCE_MS, async () => {
    const more = isCommandOf('approval', name)
      ? { planHash: (await handle.query<RunProgress>(PROGRESS_QUERY)).planHash }
      : {};
    return handle.executeUpdate<CommandAnswer, [object]>(name, { args: [{ actor, key, reason: REASON, ...more }] });
  });
}

/** Refused for certain. After any other error the command may still be carried out. */
function isRefusal(error: unknown): boolean {
  return error instanceof CommandRejected || error instanceof RunEnded || error instanceof WorkflowUpdateFailedError;
}

/** Lets a run that is still paused continue, so that it ends. */
export async function letContinue(arena: Arena, played: PlayedScene, workflowId: string): Promise<void> {
  const paused = played.sendings.some((sent) => sent.workflowId === workflowId && sent.command === 'pause');
  if (!paused) return;
  const name: CommandName = 'resume';
  const count = played.sendings.length;
  const order = { command: name, via: 'client', times: 1, actor: `janitor-${count}`, key: `janitor-${count}` } as const;
  const sent = await send(arena, played, workflowId, order);
  if (sent.result !== 'refused') played.sendings.push(sent);
}
