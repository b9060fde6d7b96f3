/** What the doctor concludes. */

/** `notChecked`: nothing is known, good or bad; `remedy` is how to find out. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'notChecked';

/** The result of one check. */
export interface Finding {
  readonly verdict: Verdict;
  /** One line for people. */
  readonly found: string;
  /** What to do; `null`: nothing. */
  readonly remedy: string | null;
}

/** All is well. */
export function ok(found: string): Finding {
  return { verdict: 'ok', found, remedy: null };
}

/** It works, but an operator should know. */
export function warn(found: string, remedy: string): Finding {
  return { verdict: 'warn', found, remedy };
}

/** Runs will fail, or not begin. */
export function fail(found: string, remedy: string): Finding {
  return { verdict: 'fail', found, remedy };
}

/** Nothing is known. */
export function notChecked(why: string, remedy: string | null = null): Finding {
  return { verdict: 'notChecked', found: `not checked: ${why}`, remedy };
}
