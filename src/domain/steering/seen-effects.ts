/** What the decisions about one step are seen to have done, for its undo. Pure. */
import type { DoneStep } from '../report/compensation.js';
import type { Observation } from '../target/target.js';

/**
 * The newest retry sent nothing, so what has changed since its reading may be the late effect of the decision before it.
 *
 * @param cloudJobId the cloud job that was followed for the step
 * @param isOurs a person has decided that the step succeeded
 */
export function effectByNow(
  earlier: readonly DoneStep[],
  cloudJobId: string | null,
  after: Observation,
  isOurs: boolean,
): readonly DoneStep[] {
  const last = earlier.at(-1);
  if (last === undefined) return earlier;
  const others = earlier.slice(0, -1);
  if (isOurs) {
    const { stays: _proved, ...ours } = last;
    return together(others, { ...ours, after });
  }
  const isSameJob = after.lastJobId === last.after.lastJobId || after.lastJobId === cloudJobId;
  if (isSameJob) return [...others, { ...last, after }];
  return [...earlier, { ...last, before: last.after, after, stays: whyItStays(after) }];
}

/** Why an effect under such a newest cloud job is not undone. */
export function whyItStays({ lastJobId }: Observation): string {
  return `it may be the effect of cloud job ${lastJobId}, which is not proved to be ours`;
}

/** Combined into one: otherwise the same undo would be sent twice. */
export function together(earlier: readonly DoneStep[], newest: DoneStep): DoneStep[] {
  const last = earlier.at(-1);
  if (last === undefined || last.stays !== undefined) return [...earlier, newest];
  return [...earlier.slice(0, -1), { ...newest, before: last.before }];
}
