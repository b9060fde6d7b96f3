/**
 * Runs a real Alertmanager that sends to a test's URL: found (ALERTMANAGER_PATH, the PATH, the cache) or built once
 * with Go.
 */
import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { stringify } from 'yaml';

const MODULE = 'github.com/prometheus/alertmanager/cmd/alertmanager';
const VERSION = 'v0.28.1';

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
  const program = await findAlertmanager();
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

async function findAlertmanager(): Promise<string> {
  const named = process.env['ALERTMANAGER_PATH'];
  if (named !== undefined) return named;
  const cacheDirectory = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'servicestage-runbooks',
    `alertmanager-${VERSION}`,
  );
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '');
  for (const directory of [...onPath, cacheDirectory]) {
    const path = join(directory, 'alertmanager');
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return build(cacheDirectory);
}

/** Takes about a minute on two cores. */
async function build(cacheDirectory: string): Promise<string> {
  await mkdir(cacheDirectory, { recursive: true });
  const target = await mkdtemp(join(cacheDirectory, 'build-'));
  try {
    await promisify(execFile)('go', ['install', '-trimpath', '-ldflags', '-s -w', `${MODULE}@${VERSION}`], {
      env: { ...process.env, GOBIN: target, GOFLAGS: '-mod=mod' },
    });
    const path = join(cacheDirectory, 'alertmanager');
    await rename(join(target, 'alertmanager'), path);
    return path;
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}
