/** Compares an answer with what a check wants. Pure. */
import { nestingProblem } from '../text/nesting.js';
import type { CheckAnswer, HttpCheck } from './check.js';
import { parseJsonPath, valueAtPath } from './json-path.js';

type Answered = Extract<CheckAnswer, { kind: 'answered' }>;

/** Everything that is not as wanted, in words for people; empty if the answer is the wanted one. */
export function unmetBy(check: HttpCheck, answer: CheckAnswer): string[] {
  if (answer.kind !== 'answered') return [answer.why];
  return [
    ...unmetStatus(check, answer),
    ...unmetHeaders(check, answer),
    ...unmetJson(check, answer),
    ...unmetText(check, answer),
  ];
}

function unmetStatus({ status: wanted }: HttpCheck, { status }: Answered): string[] {
  if (status === wanted) return [];
  const redirect = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return [`status ${status}, and ${wanted} is wanted${redirect}`];
}

function unmetHeaders({ header }: HttpCheck, { headers }: Answered): string[] {
  return Object.entries(header).flatMap(([name, wanted]) => {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    return value === wanted ? [] : [`header ${name} is ${shown(value)}, and ${shown(wanted)} is wanted`];
  });
}

function unmetJson({ json }: HttpCheck, { body, isCut }: Answered): string[] {
  if (json.length === 0) return [];
  if (isCut) return ['the body is too long to be read as JSON'];
  const tooDeep = nestingProblem(body);
  if (tooDeep !== null) return [`the body is ${tooDeep}`];
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return ['the body is not JSON'];
  }
  return json.flatMap(({ path, equals }) => {
    const value = valueAtPath(document, parseJsonPath(path) ?? []);
    return value === equals ? [] : [`json ${path} is ${shown(value)}, and ${shown(equals)} is wanted`];
  });
}

function unmetText({ text }: HttpCheck, { body, isCut }: Answered): string[] {
  if (text === null || body.includes(text)) return [];
  return [`text ${shown(text)} is not in the ${isCut ? 'part of the body that was read' : 'body'}`];
}

const LONGEST_SHOWN = 100;

function shown(value: unknown): string {
  if (value === undefined) return 'not there';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value).slice(0, LONGEST_SHOWN);
}
