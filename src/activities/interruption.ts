/** Why the SDK aborted an attempt's signal. */
import type { Context } from '@temporalio/activity';
import type { Interruption } from '../domain/once/state.js';

/** Who asks the attempt to end. A pause and a reset count as a stop: another attempt follows. */
export function interruptionBy({ cancellationDetails }: Context): Interruption {
  const { cancelRequested, notFound, timedOut } = cancellationDetails ?? {};
  if (cancelRequested === true) return 'cancel';
  return notFound === true || timedOut === true ? 'superseded' : 'stop';
}
