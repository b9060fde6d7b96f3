/** How long cloud jobs of one kind usually take, as shown to people. Types only, because workflows import it. */

/** Median and ninth decile of a kind, and what they come from. */
export interface UsualDuration {
  readonly p50Ms: number;
  readonly p90Ms: number;
  /** How many ended cloud jobs it is estimated from, since durations last changed; 0 if it was declared. */
  readonly jobs: number;
  readonly from: 'component' | 'action' | 'declared';
}
