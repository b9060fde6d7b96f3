/** Whether what the workers counted is what was seen from outside. Pure. */

/** One figure, counted by the workers and seen from outside. */
export interface Figure {
  readonly name: string;
  /** The sum over all worker processes, in the last page that was read of each. */
  readonly counted: number;
  /** Counted as well, but they may not have happened: requests without an answer. */
  readonly unclear?: number;
  /** By the simulator, the receiver, or the one who started the runs. */
  readonly seen: number;
  /** The most that one process added between two pages. */
  readonly largestIncrease: number;
  /** Whether a workflow task that is repeated after a kill counts again (docs/monitoring.md). Never true of requests. */
  readonly mayRepeat?: boolean;
}

/**
 * A killed process takes with it what it counted since its page was last read, so at most `largestIncrease` for each kill is missing. Nothing is
 * counted that did not happen.
 */
export function disagreements(figures: readonly Figure[], kills: number): string[] {
  return figures.flatMap(({ name, counted, unclear = 0, seen, largestIncrease, mayRepeat = false }) => {
    const most = seen + (mayRepeat ? kills : 0);
    const fewest = seen - kills * largestIncrease;
    if (counted > most) return [`metrics: ${counted} ${name} were counted, and ${seen} happened`];
    if (counted + unclear < fewest)
      return [`metrics: ${counted + unclear} ${name} were counted, at least ${fewest} of ${seen} were expected`];
    return [];
  });
}

/** A line for the log of a soak. */
export function describeFigure({ name, counted, unclear = 0, seen }: Figure): string {
  const more = unclear === 0 ? '' : ` and ${unclear} without an answer`;
  return `${name}: ${counted}${more} by the metrics, ${seen} from outside`;
}
