/** Keys of the runbook language that later versions bring: refused by name, never silently accepted. */
import type { Path, PathProblem as FoundProblem } from '../yaml/yaml-document.js';
import { isObject } from '../yaml/schema-keys.js';
import { wrongName } from '../yaml/key-problems.js';

type Json = Record<string, unknown>;

const LATER_KEYS = ['rollout'];
const LATER_GUARDS = ['onBusy'];
const LATER_STEPS = ['notify', 'parallel'];
const LATER_INPUT_TYPES = ['countOrPercent'];

/** Takes out what is not supported yet, with a problem for each, so that the rest can be checked as well. */
export function removeUnsupported(raw: object): { supported: Json; problems: FoundProblem[] } {
  const problems: FoundProblem[] = [];
  const later = (path: Path, what: string) => {
    problems.push({
      code: 'not-supported-yet',
      path,
      found: `${what} is not supported yet`,
      remedy: 'Take it out',
      onKey: true,
    });
  };
  const supported: Json = { ...raw };
  for (const key of LATER_KEYS.filter((name) => name in supported)) {
    later([key], `"${key}"`);
    delete supported[key];
  }
  if (isObject(supported['guards'])) {
    const guards: Json = { ...supported['guards'] };
    for (const key of LATER_GUARDS.filter((name) => name in guards)) {
      later(['guards', key], `"${key}"`);
      delete guards[key];
    }
    supported['guards'] = guards;
  }
  if (isObject(supported['targets']) && supported['targets']['order'] === 'least-healthy-first') {
    later(['targets', 'order'], 'order: least-healthy-first');
    supported['targets'] = { ...supported['targets'], order: 'name' };
  }
  // zod silently ignores it, as it would the prototype.
  if (isObject(supported['inputs']) && Object.hasOwn(supported['inputs'], '__proto__'))
    problems.push(wrongName(['inputs', '__proto__']));
  if (isObject(supported['inputs'])) supported['inputs'] = withoutLaterInputs(supported['inputs'], later);
  if (Array.isArray(supported['steps'])) problems.push(...supported['steps'].flatMap(prototypesOfCheck));
  if (Array.isArray(supported['steps']))
    supported['steps'] = supported['steps'].map((step: unknown, index) => withoutLaterParts(step, index, later));
  return { supported, problems };
}

function withoutLaterInputs(inputs: Json, later: (path: Path, what: string) => void): Json {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => {
      const type = isObject(input) ? input['type'] : undefined;
      if (typeof type !== 'string' || !LATER_INPUT_TYPES.includes(type)) return [name, input];
      later(['inputs', name, 'type'], `the input type ${type}`);
      return [name, { type: 'string' }];
    }),
  );
}

/** zod would ignore it, and the check would want less than is written. */
function prototypesOfCheck(step: unknown, index: number): FoundProblem[] {
  const check = isObject(step) ? step['check'] : undefined;
  return ['header', 'json'].flatMap((key) => {
    const map = isObject(check) ? check[key] : undefined;
    return isObject(map) && Object.hasOwn(map, '__proto__')
      ? [wrongName(['steps', index, 'check', key, '__proto__'])]
      : [];
  });
}

/** A step of a later kind is replaced by a short wait, so that the other steps keep their numbers. */
function withoutLaterParts(step: unknown, index: number, later: (path: Path, what: string) => void): unknown {
  if (!isObject(step)) return step;
  const kind = LATER_STEPS.find((name) => name in step);
  if (kind === undefined) return step;
  later(['steps', index, kind], `a step of kind "${kind}"`);
  return { wait: '1s' };
}
