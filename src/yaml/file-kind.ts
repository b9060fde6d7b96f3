/** Recognises which of our files a YAML document is by its keys, so that a schedule file among the runbooks has one problem, not one for each key. */
import type { PathProblem } from './yaml-document.js';

/** The kinds of files that people write for us. */
export type KindOfFile = 'runbook' | 'schedule file' | 'alarms file' | 'notifications file' | 'calendar';

const KEYS: Readonly<Record<KindOfFile, readonly string[]>> = {
  runbook: ['steps', 'title'],
  'schedule file': ['schedules'],
  'alarms file': ['senders', 'rules'],
  'notifications file': ['webhooks'],
  calendar: ['freezes'],
};

/** `null` if no key shows it. */
export function kindOfFile(raw: object): KindOfFile | null {
  const kinds = Object.keys(KEYS) as KindOfFile[];
  return kinds.find((kind) => KEYS[kind].some((key) => Object.hasOwn(raw, key))) ?? null;
}

/** The one problem of a file that is of another kind than wanted, or `null`. */
export function problemOfKind(raw: object, wanted: KindOfFile): PathProblem | null {
  const kind = kindOfFile(raw);
  if (kind === null || kind === wanted) return null;
  const key = KEYS[kind].find((each) => Object.hasOwn(raw, each)) ?? '';
  const article = kind === 'alarms file' ? 'an' : 'a';
  return {
    code: `not-a-${wanted.replace(' ', '-')}`,
    path: [key],
    found: `this is ${article} ${kind}`,
    remedy: `Write ${wanted === 'alarms file' ? 'an' : 'a'} ${wanted} here; \`runbook validate FILE\` checks files of every kind`,
    onKey: true,
  };
}
