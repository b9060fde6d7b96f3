/** Runs a real Prometheus that scrapes a test's worker with the rules of deploy/monitoring, and its promtool. */
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { freePorts } from '../../src/embedded/ports.js';
import { findGoProgram } from './go-programs.js';

const VERSION = 'v0.306.0';
const program = (name: 'prometheus' | 'promtool') => ({
  name,
  variable: `${name.toUpperCase()}_PATH`,
  module: `github.com/prometheus/prometheus/cmd/${name}`,
  version: VERSION,
  debianPackage: 'prometheus',
});

export const MONITORING = fileURLToPath(new URL('../../deploy/monitoring', import.meta.url));

/** @returns what promtool printed. @throws with it if promtool fails */
export async function promtool(...given: readonly string[]): Promise<string> {
  const path = await findGoProgram(program('promtool'));
  const { stdout, stderr } = await promisify(execFile)(path, [...given], { cwd: MONITORING });
  return `${stdout}${stderr}`;
}

export interface RunningPrometheus {
  /** Asks its API. @returns the `data` of the answer. @throws if it refuses */
  ask(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>;
  close(): Promise<void>;
}

/** @param jobs host and port to scrape, by job */
export async function startPrometheus(jobs: Readonly<Record<string, string>>): Promise<RunningPrometheus> {
  const path = await findGoProgram(program('prometheus'));
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  await cp(join(MONITORING, 'rules.yaml'), join(folder, 'rules.yaml'));
  const configuration = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: Object.entries(jobs).map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target] }],
    })),
  };
  const file = join(folder, 'prometheus.yml');
  await writeFile(file, stringify(configuration));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const child = spawn(
    path,
    [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=${address}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  await new Promise<void>((resolve, reject) => {
    const lines: string[] = [];
    createInterface({ input: child.stderr })
      .on('line', (line) => {
        lines.push(line);
        if (line.includes('Server is ready to receive web requests')) resolve();
      })
      .once('close', () => reject(new Error(`Prometheus ended before it was ready:\n${lines.slice(-5).join('\n')}`)));
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const ask = async (asked: string, query: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`http://${address}/api/v1/${asked}?${new URLSearchParams(query).toString()}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(`Prometheus refuses ${asked} ${JSON.stringify(query)}: ${error ?? ''}`);
    return data;
  };
  return { ask, close };
}
