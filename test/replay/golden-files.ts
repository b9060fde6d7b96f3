/** The recorded histories and their list: names, digests, and what a history shows about its run. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Outcome, RunReport, TargetReport } from '../../src/domain/report/report.js';
import { PLAN_VERSION } from '../../src/domain/plan/plan.js';
import type { Turn } from './turn.js';

export const HISTORIES = new URL('./histories/', import.meta.url);
/** `<sha256>  <file>`, as `sha256sum --check` reads it. Lines are added and never changed or taken away. */
export const MANIFEST = new URL('./recorded-histories.sha256', import.meta.url);

export type GoldenKind = 'run' | 'target';

export function goldenName({ runbook, name }: Turn, kind: GoldenKind): string {
  return `${runbook}-${name}.${kind}.v${PLAN_VERSION}.json`;
}

export async function goldenNames(): Promise<string[]> {
  return (await readdir(HISTORIES)).sort();
}

export async function digestOf(name: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(new URL(name, HISTORIES)))
    .digest('hex');
}

export async function readManifest(): Promise<Map<string, string>> {
  const lines = (await readFile(MANIFEST, 'utf8')).trim().split('\n');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

interface Payloads {
  readonly payloads?: readonly { readonly data?: string }[];
}

interface RecordedEvent {
  eventId: string;
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowId: string; workflowType: { name: string } };
  workflowExecutionCompletedEventAttributes?: { result?: Payloads };
  workflowExecutionFailedEventAttributes?: { failure: { applicationFailureInfo?: { details?: Payloads } } };
  workflowPropertiesModifiedEventAttributes?: {
    upsertedMemo: { fields: Record<string, { readonly data?: string }> };
  };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  timerStartedEventAttributes?: { startToFireTimeout: string };
}

export interface RecordedHistory {
  events: RecordedEvent[];
}

export async function readGolden(name: string): Promise<RecordedHistory> {
  return JSON.parse(await readFile(new URL(name, HISTORIES), 'utf8')) as RecordedHistory;
}

/** The report of a run's history: every run that was not a dry one writes it to its memo before it closes. */
export function reportIn({ events }: RecordedHistory): RunReport | null {
  const modified = events.findLast((event) => event.workflowPropertiesModifiedEventAttributes !== undefined);
  const memo = modified?.workflowPropertiesModifiedEventAttributes?.upsertedMemo.fields['report'];
  return decoded(memo?.data) as RunReport | null;
}

export function outcomeIn(history: RecordedHistory): Outcome | null {
  return reportIn(history)?.outcome ?? null;
}

/** What a target's workflow returned; `null` for a run, and for a workflow that was terminated. */
export function targetReportIn({ events }: RecordedHistory): TargetReport | null {
  if (events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name !== 'targetRun') return null;
  const result = events.at(-1)?.workflowExecutionCompletedEventAttributes?.result;
  return decoded(result?.payloads?.[0]?.data) as TargetReport | null;
}

function decoded(data: string | undefined): unknown {
  return data === undefined ? null : JSON.parse(Buffer.from(data, 'base64').toString());
}
