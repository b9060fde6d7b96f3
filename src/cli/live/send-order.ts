/** Sends what a key of the live view orders, by the same calls as the commands of the command line. */
import type { RunbookClient } from '../../client/runbook-client.js';
import type { CommandAnswer } from '../../domain/steering/commands.js';
import type { Order } from './orders.js';

type Commands = Pick<
  RunbookClient,
  'pause' | 'resume' | 'abort' | 'approve' | 'reject' | 'retryStep' | 'skipStep' | 'markSucceeded'
>;

/** @throws what the client throws: `CommandRejected` with what is possible now, or that no worker answered */
export async function sendOrder(
  runbooks: Commands,
  workflowId: string,
  { command, target, step, planHash }: Order,
  by: { readonly actor: string; readonly reason: string },
): Promise<CommandAnswer> {
  switch (command) {
    case 'pause':
    case 'resume':
    case 'abort':
      return runbooks[command](workflowId, by);
    case 'approve':
    case 'reject':
      return runbooks[command](workflowId, { ...by, target, step, planHash });
    case 'retryStep':
    case 'skipStep':
    case 'markSucceeded':
      return runbooks[command](workflowId, { ...by, target, step });
  }
}
