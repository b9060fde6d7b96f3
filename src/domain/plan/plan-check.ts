/** Plans a check: literal values, and a URL that the worker may ask. Pure. */
import { MOST_OF_CHECK, type HttpCheck, type JsonScalar } from '../checks/check.js';
import { interpolate, namesUsed, type Values } from '../runbook/interpolate.js';
import { checkTimes } from '../runbook/check-step-checks.js';
import type { RunbookCheckStep } from '../runbook/step-shapes.js';
import { hasControlCharacters } from '../text/text.js';
import type { CheckStep } from './plan.js';

/** Why a URL may not be asked; `null` if it may. */
export type RefusalOfUrl = (url: string) => { readonly found: string; readonly remedy: string } | null;

/** How the values of a check are judged. */
interface Judging {
  readonly refusalOf: RefusalOfUrl;
  /** Whether a value uses an input that has a problem of its own; what depends on it is not judged. */
  readonly isOpen: (value: unknown) => boolean;
  readonly report: (found: string, remedy: string) => void;
}

/** Replaces every expression, and reports what does not fit. */
export function plannedCheck(
  step: RunbookCheckStep,
  id: string,
  values: Values,
  { refusalOf, isOpen, report }: Judging,
): CheckStep {
  const { http, status, header = {}, json = {}, text } = step.check;
  const literal = <Fallback>(value: unknown, what: string, fallback: Fallback): JsonScalar | Fallback => {
    if (isOpen(value)) return fallback;
    const read = interpolate(value, values);
    if (read === undefined || (read === null && namesUsed(value).length > 0)) {
      report(`${what} is ${String(value)}, and that is not known of the target`, 'Write the value out');
      return fallback;
    }
    if (typeof read === 'string' && (read.length > MOST_OF_CHECK.value || hasControlCharacters(read)))
      report(
        `${what} is too long, or contains control characters`,
        `Write one line of at most ${MOST_OF_CHECK.value} characters`,
      );
    return read as JsonScalar;
  };
  const check: HttpCheck = {
    url: plannedUrl(http, values, { refusalOf, isOpen, report }),
    status,
    header: Object.fromEntries(
      Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(literal(value, `header ${name}`, ''))]),
    ),
    json: Object.entries(json).map(([path, value]) => ({ path, equals: literal(value, `json ${path}`, null) })),
    text: text === undefined ? null : String(literal(text, 'text', '')),
    ...checkTimes(step),
  };
  const before = step.before === true;
  return { kind: 'check', id, check, before, onFailure: before ? 'abort' : (step.onFailure ?? 'compensate') };
}

function plannedUrl(http: string, values: Values, { refusalOf, isOpen, report }: Judging): string {
  if (isOpen(http)) return '';
  const url = String(interpolate(http, values));
  const refusal = refusalOf(url);
  if (refusal !== null) report(refusal.found, refusal.remedy);
  return url;
}
