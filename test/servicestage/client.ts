/** The client under test, its credentials, and the error of a call that must fail. */
import { expect } from 'vitest';
import type { Action } from '../../src/domain/target/actions.js';
import type { Target } from '../../src/domain/target/target.js';
import type { Credentials } from '../../src/servicestage/auth.js';
import { ServiceStageError } from '../../src/servicestage/errors.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage, type ServiceStageOptions } from '../../src/servicestage/service-stage-client.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import type { RunningSimulator } from '../../src/simulator/server.js';

export const TARGET: Target = {
  path: 'shop/checkout/prod-1',
  projectId: 'project-0001',
  applicationId: 'app-0001',
  componentId: 'comp-0001',
  instanceId: 'inst-0001',
  platformType: 'cce',
};

const TOKEN: Credentials = { kind: 'token', token: new Secret('a-token') };

/** A client with a budget that never makes a test wait. */
export function clientOf(options: Pick<ServiceStageOptions, 'endpoint'> & Partial<ServiceStageOptions>): ServiceStage {
  return createServiceStage({
    projectId: TARGET.projectId,
    credentials: TOKEN,
    requestsPerSecond: 10_000,
    burst: 10_000,
    ...options,
  });
}

export function clientOfSimulator(
  simulator: RunningSimulator,
  credentials: Credentials,
  more: Partial<ServiceStageOptions> = {},
): ServiceStage {
  const { url: endpoint, projectId } = simulator;
  return clientOf({ endpoint, projectId, credentials, iamEndpoint: endpoint, ...more });
}

export function tokenOf({ token }: RunningSimulator): Credentials {
  return { kind: 'token', token: new Secret(token) };
}

export function passwordOf({ url, iamUser: user, iamPassword, iamDomain: domain }: RunningSimulator): Credentials {
  return { kind: 'password', iamEndpoint: url, user, password: new Secret(iamPassword), domain };
}

export function accessKeyOf({ accessKey, secretKey }: RunningSimulator, securityToken?: string): Credentials {
  const token = securityToken === undefined ? {} : { securityToken: new Secret(securityToken) };
  return { kind: 'accessKey', accessKey, secretKey: new Secret(secretKey), ...token };
}

/** The target at a place of the simulator's demo world. */
export function targetIn(simulator: RunningSimulator, path: string): Target {
  const instance = simulator.instances.find((candidate) => candidate.path === path);
  if (instance === undefined) throw new Error(`The demo world has no ${path}`);
  const { id: instanceId, applicationId, componentId } = instance;
  return { path, projectId: simulator.projectId, applicationId, componentId, instanceId, platformType: 'cce' };
}

export async function post(
  client: ServiceStage,
  {
    target = TARGET,
    action = { action: 'restart' },
    timeoutMs = 2_000,
    beforeFirstByte,
  }: { target?: Target; action?: Action; timeoutMs?: number; beforeFirstByte?: () => unknown } = {},
): Promise<{ readonly cloudJobId: string }> {
  const reservation = await client.reservePost({ budgetWaitMs: 2_000, credentialsWaitMs: 2_000 });
  return reservation.submitAction(target, action, {
    timeoutMs,
    ...(beforeFirstByte === undefined ? {} : { beforeFirstByte: async () => void (await beforeFirstByte()) }),
  });
}

export const READ = { timeoutMs: 2_000 };

export async function failureOf(call: Promise<unknown>): Promise<ServiceStageError> {
  const error: unknown = await call.then(
    (value) => expect.fail(`expected a failure, got ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ServiceStageError);
  return error as ServiceStageError;
}
