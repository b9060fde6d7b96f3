/** Values of a runbook's inputs: does one fit, and what is it with its own type. Pure. */
import { durationMs } from '../time/duration.js';
import type { Input } from './runbook.js';
import { hasControlCharacters } from '../text/text.js';

/** Why a value does not fit an input, or `null`. Text is accepted for integers and booleans, since command lines have only text. */
export function valueProblem(input: Input, value: unknown): string | null {
  switch (input.type) {
    case 'string': {
      if (typeof value !== 'string') return `${show(value)} is not text`;
      if (hasControlCharacters(value)) return `${show(value)} contains control or invisible characters`;
      if (input.enum !== undefined && !input.enum.includes(value))
        return `${show(value)} is none of ${input.enum.join(', ')}`;
      if (value.length < (input.minLength ?? 0)) return `${show(value)} is shorter than ${input.minLength} characters`;
      return value.length > (input.maxLength ?? Number.POSITIVE_INFINITY)
        ? `it is longer than ${input.maxLength} characters`
        : null;
    }
    case 'integer': {
      const number = toInteger(value);
      if (number === null) return `${show(value)} is not an integer`;
      if (number < (input.minimum ?? Number.NEGATIVE_INFINITY)) return `${number} is less than ${input.minimum}`;
      return number > (input.maximum ?? Number.POSITIVE_INFINITY) ? `${number} is more than ${input.maximum}` : null;
    }
    case 'boolean':
      return typeof value === 'boolean' || value === 'true' || value === 'false'
        ? null
        : `${show(value)} is neither true nor false`;
    case 'duration':
      return typeof value === 'string' && durationMs(value) !== null
        ? null
        : `${show(value)} is not a duration such as 90s or 5m`;
  }
}

/** What would fit an input, as in `Give 1 or more: How many replicas`. */
export function inputRemedy(input: Input): string {
  return `Give ${fittingValue(input)}${input.description === undefined ? '' : `: ${input.description}`}`;
}

function fittingValue(input: Input): string {
  switch (input.type) {
    case 'string':
      if (input.enum !== undefined) return `one of ${input.enum.join(', ')}`;
      return input.minLength === undefined && input.maxLength === undefined
        ? 'text'
        : `text of ${range(input.minLength, input.maxLength)} characters`;
    case 'integer':
      return input.minimum === undefined && input.maximum === undefined
        ? 'a whole number'
        : range(input.minimum, input.maximum);
    case 'boolean':
      return 'true or false';
    case 'duration':
      return 'a duration such as 90s or 5m';
  }
}

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return `at most ${most}`;
  return most === undefined ? `${least} or more` : `${least} to ${most}`;
}

/** The value with its own type; only for values that `valueProblem` accepts. */
export function typedValue(input: Input, value: unknown): unknown {
  if (input.type === 'integer') return toInteger(value);
  return input.type === 'boolean' ? value === true || value === 'true' : value;
}

function toInteger(value: unknown): number | null {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}

function show(value: unknown): string {
  return typeof value === 'string'
    ? `"${value.slice(0, 100)}"`
    : (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
