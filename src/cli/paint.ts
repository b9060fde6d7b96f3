/** Colour where a terminal shows it, nothing where it would be in the way (pipes, NO_COLOR). */
import picocolors from 'picocolors';
import type { Outcome } from '../domain/report/report.js';

type Brush = (text: string) => string;

export interface Paint {
  readonly bold: Brush;
  readonly dim: Brush;
  readonly bad: Brush;
  readonly warn: Brush;
  outcome(outcome: Outcome): Brush;
  result(result: string): Brush;
}

/** For standard output, as it is now. */
export function paintForOutput(): Paint {
  return paintFor(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
}

export function paintFor(useColour: boolean): Paint {
  const { bold, dim, red, yellow, green, cyan } = picocolors.createColors(useColour);
  const outcome = (name: Outcome): Brush => {
    if (name === 'succeeded') return green;
    return name === 'cancelled' || name === 'refused' || name === 'compensated' ? yellow : red;
  };
  const result = (name: string): Brush => {
    if (name === 'succeeded' || name === 'skipped') return green;
    if (name === 'running') return cyan;
    return name === 'pending' ? dim : red;
  };
  return { bold, dim, bad: red, warn: yellow, outcome, result };
}
