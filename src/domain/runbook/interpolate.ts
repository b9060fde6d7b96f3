/** `${{ inputs.x }}`, `${{ target.y }}` and `${{ captured.z }}`: a whole value, or inside a string. Nothing else is an expression. */

// Bounded, and the spaces trimmed afterwards: a text full of `${{` or of spaces is read in linear time.
const EXPRESSION = /\$\{\{([^}]{0,200})\}\}/g;
const WHOLE = /^\$\{\{([^}]{0,200})\}\}$/;

/** Names of a target that a runbook may use. */
export const TARGET_NAMES = [
  'path',
  'application',
  'component',
  'instance',
  'platformType',
  'version',
  'status',
  'replicaCount',
] as const;

/** Names of what the run of another runbook captured; only in a runbook with `restores`. */
export const CAPTURED_NAMES = ['replicaCount'] as const;

/** What expressions can use. */
export interface Values {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly target: Readonly<Record<string, unknown>>;
  readonly captured: Readonly<Record<string, unknown>>;
}

/** Names used in a value, such as `inputs.version`, in the order they stand. */
export function namesUsed(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(EXPRESSION)].map(([, name = '']) => name.trim());
  if (Array.isArray(value)) return value.flatMap(namesUsed);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(namesUsed) : [];
}

/** Whether a value contains `${{` without a complete expression: one that does not end, or is longer than any name. It would be sent unchanged. */
export function isBrokenExpression(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isBrokenExpression);
  return typeof value === 'string' && value.replace(EXPRESSION, '').includes('${{');
}

/** True for a value that is one expression and nothing else: it keeps the type of what it names. */
export function isWholeExpression(value: unknown): boolean {
  return typeof value === 'string' && WHOLE.test(value);
}

/** Replaces every expression; names are known to exist, since that is checked when the runbook is loaded. */
export function interpolate(value: unknown, values: Values): unknown {
  return fillIn(value, (name) => lookUp(name, values));
}

/** Replaces every expression by the value of its name. Expressions within such a value are left alone. */
export function fillIn(value: unknown, valueOf: (name: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => fillIn(item, valueOf));
  if (typeof value !== 'string') return value;
  const [, whole] = WHOLE.exec(value) ?? [];
  if (whole !== undefined) return valueOf(whole.trim());
  return value.replace(EXPRESSION, (_expression, name: string) => textOf(valueOf(name.trim())));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function lookUp(name: string, values: Values): unknown {
  const [scope = '', key = ''] = name.split('.');
  const source = isScope(scope) ? values[scope] : {};
  return Object.hasOwn(source, key) ? source[key] : undefined;
}

function isScope(scope: string): scope is keyof Values {
  return scope === 'inputs' || scope === 'target' || scope === 'captured';
}
