/**
 * The gateway of the compose file, as far as it goes without a container: its command, environment, mounted folder and
 * health check, as processes.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { endOf } from '../support/command-line.js';
import { alertmanagerBody, deliver, startGatewayProcess, useGateway } from '../support/gateway.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

it('starts, passes its own health check, and accepts the secret that was put beside its alarms file', async () => {
  const text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
  const gateway = services['gateway'];
  if (gateway === undefined) throw new Error('the compose file has no gateway');
  const [source = '', target = ''] = gateway.volumes[0]?.split(':') ?? [];
  const mounted = join(desk.folder, 'mounted');
  await cp(join(root, source), mounted, { recursive: true });
  await mkdir(join(mounted, 'secrets'), { recursive: true });
  const token = randomBytes(32).toString('hex');
  await writeFile(join(mounted, 'secrets', 'alertmanager-token'), `${token}\n`);
  const environment = Object.entries(gateway.environment).map(([name, value]) => {
    const byDefault = value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
    return [name, byDefault.replace('temporal:7233', temporal.address).replace(target, mounted)];
  });
  const [program, main, command, ...words] = gateway.command;
  expect([program, main, command]).toEqual(['node', 'dist/cli/main.js', 'gateway']);
  const running = await startGatewayProcess(words, Object.fromEntries(environment) as Record<string, string>);
  onTestFinished(async () => void (await running.kill('SIGTERM')));

  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  const { port } = new URL(running.url);
  const [kind, ...check] = gateway.healthcheck.test.map((word) => word.replace('127.0.0.1:8095', `127.0.0.1:${port}`));
  expect([kind, check[0]]).toEqual(['CMD', 'node']);
  expect((await endOf(spawn(process.execPath, check.slice(1)))).exitCode).toBe(0);
  const body = alertmanagerBody([]);
  expect((await deliver(running.url, body, token, 'prod-alertmanager')).status).toBe(200);
  expect((await deliver(running.url, body, 'another-token-0123456789', 'prod-alertmanager')).status).toBe(401);
});
