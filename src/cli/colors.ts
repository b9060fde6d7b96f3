/** Colours for terminals; none in pipes and where NO_COLOR is set. */
import picocolors from 'picocolors';
import type { Outcome } from '../domain/report/report.js';

type Style = (text: string) => string;

/** The colours of the command line, by meaning. Each function wraps a text. */
export interface Colors {
  readonly bold: Style;
  readonly dim: Style;
  readonly bad: Style;
  readonly warn: Style;
  outcome(outcome: Outcome): Style;
  result(result: string): Style;
}

/** @param enabled default: standard output is a terminal, and NO_COLOR is not set */
export function createColors(enabled: boolean = process.stdout.isTTY && process.env['NO_COLOR'] === undefined): Colors {
  const { bold, dim, red, yellow, green, cyan } = picocolors.createColors(enabled);
  const outcome = (name: Outcome): Style => {
    if (name === 'succeeded') return green;
    return name === 'cancelled' || name === 'refused' || name === 'compensated' ? yellow : red;
  };
  const result = (name: string): Style => {
    if (name === 'succeeded' || name === 'skipped') return green;
    if (name === 'running') return cyan;
    return name === 'pending' ? dim : red;
  };
  return { bold, dim, bad: red, warn: yellow, outcome, result };
}
