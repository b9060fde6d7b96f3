/**
 * The demo of schedules: applies a file, waits a few seconds until it fires, shows the run, and removes the
 * schedule.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { ClosableConnection } from '../temporal/connection.js';
import { GRPC_WITHOUT_PROXY } from '../network/proxies.js';

const ID = 'demo/often';
const FILE = 'schedules.yaml';
/**
 * Every five seconds, so that people do not have to wait. A run takes about as long; occurrences during it are
 * skipped.
 */
const SCHEDULES = `owner: demo
schedules:
  often:
    runbook: restart
    targets: [shop/checkout/prod-1]
    cron: "*/5 * * * * * *"     # second minute hour day-of-month month day-of-week year
    timezone: Europe/Berlin
    window: 1m
    reason: The demo
`;
const NO_SCHEDULES = 'owner: demo\nschedules: {}\n';
const FIRES_WITHIN_MS = 30_000;
/** The server's listing, which finds schedules that left the file, lags behind. */
const LISTED_WITHIN_MS = 20_000;

/** What the schedule demo needs to run commands and print. */
export interface DemoCommands {
  readonly say: (line: string) => void;
  readonly address: string;
  readonly namespace: string;
  readonly closers: (() => Promise<void>)[];
  /** Runs a `runbook` command in that folder, showing it as if typed. Returns its exit code. */
  readonly type: (words: readonly string[], folder: string) => Promise<number>;
}

/** Runs the demo. @returns the exit code: 0 if the schedule fired and its run succeeded */
export async function showSchedule(demo: DemoCommands, keep: boolean): Promise<number> {
  const { say, closers, type } = demo;
  const folder = await mkdtemp(join(tmpdir(), 'runbook-demo-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, FILE), SCHEDULES);
  say(`${FILE}\n\n${SCHEDULES.replaceAll(/^/gm, '  ').trimEnd()}\n`);
  const codes = [
    await type(['schedule', 'diff', FILE], folder),
    await type(['schedule', 'apply', FILE], folder),
    await type(['schedule', 'next', FILE, '--count', '3'], folder),
  ];
  const connection = await ClosableConnection.connect({ address: demo.address, channelArgs: GRPC_WITHOUT_PROXY });
  closers.push(() => connection.close());
  const client = new Client({ connection, namespace: demo.namespace });
  say('\nWaiting until it fires …');
  const workflowId = await firstRun(client);
  codes.push(await type(['watch', workflowId], folder));
  if (keep) return codes.every((code) => code === 0) ? 0 : 1;
  say('\nThe file gives it up:');
  await writeFile(join(folder, FILE), NO_SCHEDULES);
  await untilListed(client);
  codes.push(await type(['schedule', 'apply', FILE], folder));
  return codes.every((code) => code === 0) ? 0 : 1;
}

async function firstRun(client: Client): Promise<string> {
  const giveUpAtMs = Date.now() + FIRES_WITHIN_MS;
  while (Date.now() < giveUpAtMs) {
    const { info } = await client.schedule.getHandle(ID).describe();
    const [first] = info.recentActions;
    if (first !== undefined) return first.action.workflow.workflowId;
    await delay(200);
  }
  throw new Error(`The schedule did not fire within ${FIRES_WITHIN_MS / 1_000} s`);
}

async function untilListed(client: Client): Promise<void> {
  const giveUpAtMs = Date.now() + LISTED_WITHIN_MS;
  while (Date.now() < giveUpAtMs) {
    for await (const { scheduleId } of client.schedule.list()) if (scheduleId === ID) return;
    await delay(200);
  }
}
