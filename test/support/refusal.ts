/** How the tests of commands read a refusal. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { expect } from 'vitest';

/** Why a command is refused. @throws if it was accepted, or failed otherwise */
export async function refusalOf(answer: Promise<unknown>): Promise<string> {
  const error: unknown = await answer.then(
    () => new Error('It was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  expect(error.cause).toMatchObject({ type: 'CommandRejected' });
  return (error.cause as Error).message;
}
