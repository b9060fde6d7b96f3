/** Renders how long a step took beside how long it usually takes. Pure. */
import { isLate } from '../domain/plan/usual.js';
import { describeAgainstUsual } from '../domain/plan/usual-words.js';
import type { UsualOfStep } from '../domain/report/report.js';
import type { Colors } from './colors.js';

/** `usually 12s`, or `usually 12s: unusually late` as a warning. @param elapsedMs how long the step took, or has taken so far */
export function usualWords(usual: UsualOfStep, elapsedMs: number, colors: Colors): string {
  const words = describeAgainstUsual(usual, elapsedMs);
  return isLate(usual, elapsedMs) ? colors.warn(words) : words;
}
