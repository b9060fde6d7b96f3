/** Runs a real Alertmanager that sends to a test's URL. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { findGoProgram } from './go-programs.js';

// Debian's is too old for the tests.
const ALERTMANAGER = {
  name: 'alertmanager',
  variable: 'ALERTMANAGER_PATH',
  module: 'github.com/prometheus/alertmanager/cmd/alertmanager',
  version: 'v0.28.1',
};

/** What its API accepts at `/api/v2/alerts`; an alert with an `endsAt` in the past is resolved. */
export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  readonly endsAt?: string;
}

export interface AlertmanagerOptions {
  /** The URL of its webhook. */
  readonly webhookUrl: string;
  readonly token: string;
  /** Labels that form a group; default: all alerts are one group. */
  readonly groupBy?: readonly string[];
  /** Durations in the form of its configuration; defaults `200ms`, `1s`, `1h`. */
  readonly groupWait?: string;
  readonly groupInterval?: string;
  readonly repeatInterval?: string;
  readonly maxAlerts?: number;
  /** For a pair: its own cluster port and those of its peers. */
  readonly cluster?: { readonly port: number; readonly peerPorts: readonly number[] };
}

export interface RunningAlertmanager {
  readonly url: string;
  post(alerts: readonly PostedAlert[]): Promise<void>;
  close(): Promise<void>;
}

/** @throws if it cannot be found or built, or does not listen */
export async function startAlertmanager(options: AlertmanagerOptions): Promise<RunningAlertmanager> {
  const program = await findGoProgram(ALERTMANAGER);
  const folder = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  const file = join(folder, 'alertmanager.yml');
  await writeFile(file, stringify(configuration(options)));
  const { port, peerPorts } = options.cluster ?? { port: null, peerPorts: [] };
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.path=${folder}`,
      '--web.listen-address=127.0.0.1:0',
      `--cluster.listen-address=${port === null ? '' : `127.0.0.1:${port}`}`,
      ...peerPorts.map((peer) => `--cluster.peer=127.0.0.1:${peer}`),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const lines: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr })
      .on('line', (line) => {
        lines.push(line);
        const [, listening] = /msg="Listening on" address=(\S+)/.exec(line) ?? [];
        if (listening !== undefined) resolve(listening);
      })
      .once('close', () => reject(new Error(`Alertmanager ended before it listened:\n${lines.slice(-5).join('\n')}`)));
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const url = `http://${address}`;
  const post = async (alerts: readonly PostedAlert[]) => {
    const answer = await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    if (!answer.ok) throw new Error(`Alertmanager answered ${answer.status}: ${await answer.text()}`);
  };
  return { url, post, close };
}

function configuration(options: AlertmanagerOptions): object {
  const { webhookUrl, token, groupBy = [], maxAlerts = 0 } = options;
  const { groupWait = '200ms', groupInterval = '1s', repeatInterval = '1h' } = options;
  return {
    route: {
      receiver: 'runbook.gateway',
      group_by: groupBy,
      group_wait: groupWait,
      group_interval: groupInterval,
      repeat_interval: repeatInterval,
    },
    receivers: [
      {
        name: 'runbook.gateway',
        webhook_configs: [
          { url: webhookUrl, max_alerts: maxAlerts, http_config: { authorization: { credentials: token } } },
        ],
      },
    ],
  };
}
