/** A runbook whose shape has problems, made whole with placeholders, so that what lies behind them is checked in the same go. */
import { ACTIONS } from '../domain/target/actions.js';
import { Runbook } from '../domain/runbook/runbook.js';
import type { Path, PathProblem } from '../yaml/yaml-document.js';
import { isObject, valueAt } from '../yaml/schema-keys.js';
import { problemsOfIssues } from '../yaml/shape-problems.js';
import type { ShapeProblem } from '../yaml/value-problems.js';

type Json = Record<string, unknown>;

/** A runbook that was made whole, and what was wrong with it. */
export interface Repaired {
  /** Every problem of the shape, with paths of the document as it was written. */
  readonly problems: readonly PathProblem[];
  /** `null` if too little is left to check. */
  readonly runbook: Runbook | null;
  /** What was taken out or replaced, with paths of the document: what depends on it cannot be judged. */
  readonly touched: readonly Path[];
  /** The path in the document of a path in `runbook`. */
  readonly written: (path: Path) => Path;
}

const MOST_REPAIRED = 100;
/** Each round takes out what the one before has found; nothing sensible needs more. */
const MOST_ROUNDS = 20;

/** @param raw is not changed */
export function repair(raw: Json, inWords: (problem: ShapeProblem, raw: unknown) => ShapeProblem): Repaired {
  return new Repair(raw, inWords).run();
}

class Repair {
  readonly #copy: Json;
  readonly #problems: PathProblem[] = [];
  readonly #touched: Path[] = [];
  readonly #moved: { readonly to: Path; readonly from: Path }[] = [];

  constructor(
    raw: Json,
    private readonly inWords: (problem: ShapeProblem, raw: unknown) => ShapeProblem,
  ) {
    this.#copy = structuredClone(raw);
  }

  run(): Repaired {
    let runbook: Runbook | null = null;
    for (let round = 0; round < MOST_ROUNDS && runbook === null; round++) {
      const parsed = Runbook.safeParse(this.#copy);
      if (parsed.success) runbook = parsed.data;
      else {
        const issues = problemsOfIssues(parsed.error.issues, this.#copy, Runbook);
        // So many faults are not a runbook with a few mistakes, and each would be compared with each.
        if (issues.length > MOST_REPAIRED) return this.#asItIs(issues);
        for (const issue of issues) {
          const problem = this.inWords(issue, this.#copy);
          if (!this.#touched.some((path) => begins(problem.path, path)))
            this.#problems.push({ ...problem, path: this.#written(problem.path) });
          this.#repair(problem);
        }
      }
    }
    const written = (path: Path) => this.#written(path);
    return { problems: this.#problems, runbook, touched: this.#touched.map(written), written };
  }

  #asItIs(issues: readonly ShapeProblem[]): Repaired {
    const problems = issues.map((issue) => this.inWords(issue, this.#copy));
    return { problems: [...this.#problems, ...problems], runbook: null, touched: [], written: (path) => path };
  }

  #written(path: Path): Path {
    const moved = this.#moved.find(({ to }) => begins(path, to));
    return moved === undefined ? path : [...moved.from, ...path.slice(moved.to.length)];
  }

  #repair(problem: ShapeProblem): void {
    const { path, code, meant, under } = problem;
    const parent = valueAt(this.#copy, path.slice(0, -1));
    const key = String(path.at(-1));
    if (code === 'unknown-key' && isObject(parent)) {
      const value = parent[key];
      delete parent[key];
      this.#touched.push(path);
      const target = [...path.slice(0, -1), ...(under === undefined ? [] : [under]), meant ?? key];
      if (meant !== undefined) parent[meant] = value;
      else if (under !== undefined) parent[under] = { ...(isObject(parent[under]) ? parent[under] : {}), [key]: value };
      else return;
      this.#moved.push({ to: target, from: path });
      return;
    }
    if (code === 'invalid-name' && isObject(parent)) {
      delete parent[key];
      this.#touched.push(path);
      return;
    }
    if (code === 'invalid-value' && meant !== undefined && isObject(parent)) {
      parent[key] = meant;
      return;
    }
    this.#replace(path);
  }

  /** Removes the value at the path, or replaces it by something of the right shape. */
  #replace(path: Path): void {
    const [part, at, key] = path;
    const list = this.#copy[String(part)];
    if (part === 'steps' && path.length >= 2 && Array.isArray(list)) {
      const step = list[Number(at)] as unknown;
      if (path.length === 2 || key === 'action' || (key === 'check' && path.length === 3) || !isObject(step)) {
        list[Number(at)] = { wait: '1s', id: `step-${Number(at)}-cannot-be-judged` };
        this.#touched.push(path.slice(0, 2));
        return;
      }
      if (key === 'compensation') {
        this.#touched.push(path.slice(0, 3));
        const irreversible = Object.entries(ACTIONS).some(
          ([name, { reversal }]) => name === step['action'] && reversal === 'irreversible',
        );
        if (irreversible) step['compensation'] = { irreversible: 'cannot be judged' };
        else delete step['compensation'];
        return;
      }
    }
    if (part === 'inputs' && isObject(list) && (path.length === 2 || key === 'type')) {
      list[String(at)] = { type: 'string' };
      this.#touched.push(path.slice(0, 2));
      return;
    }
    this.#touched.push(path);
    const parent = valueAt(this.#copy, path.slice(0, -1));
    const placeholder = placeholderAt(path);
    if (Array.isArray(parent)) this.#replace(path.slice(0, -1));
    else if (isObject(parent) && placeholder !== undefined) parent[String(path.at(-1))] = placeholder;
    else if (isObject(parent)) delete parent[String(path.at(-1))];
  }
}

/** For what must be there. */
function placeholderAt(path: Path): unknown {
  const placeholders: Readonly<Record<string, unknown>> = {
    name: 'cannot-be-judged',
    title: 'cannot be judged',
    steps: [],
    wait: '1s',
    http: 'https://cannot-be.judged',
    with: {},
    replica: 1,
    version: 'previous',
  };
  const key = String(path.at(-1));
  const isOurs = path.length === 1 || (path[0] === 'steps' && key !== 'name' && key !== 'title' && key !== 'steps');
  return isOurs && Object.hasOwn(placeholders, key) ? placeholders[key] : undefined;
}

/** Whether `path` is `start` or lies below it. */
export function begins(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((part, index) => String(part) === String(path[index]));
}
