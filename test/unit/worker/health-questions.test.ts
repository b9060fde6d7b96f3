/** What a probe shows when Temporal or ServiceStage does not answer. */
import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, withHeartbeatTimeout } from '../../../src/domain/once/limits.js';
import { ServiceStageError, type ServiceStageErrorCode } from '../../../src/servicestage/errors.js';
import type { ServiceStage } from '../../../src/servicestage/service-stage.js';
import { GRPC } from '../../../src/temporal/calls.js';
import { askCredentials, askTemporal } from '../../../src/worker/health-questions.js';

function clientThat(answer: () => Promise<object>): Client {
  const client = {
    options: { namespace: 'ops' },
    connection: { workflowService: { describeNamespace: answer } },
    withDeadline: (_deadline: number, ask: () => Promise<unknown>) => ask(),
  };
  return client as unknown as Client;
}

function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
}

describe('the probe of Temporal', () => {
  it('is good if the namespace is described', async () => {
    const reason = 'Temporal answers for the namespace ops';
    expect(await askTemporal(clientThat(async () => ({})))).toEqual({ ok: true, reason });
  });

  it.each([
    [GRPC.permissionDenied, 'no role', 'Temporal refuses the credentials: no role'],
    [GRPC.notFound, 'Namespace ops is not found.', 'Temporal cannot find the namespace: Namespace ops is not found.'],
    [GRPC.unavailable, 'connection refused', 'Temporal cannot be reached: connection refused'],
    [GRPC.busy, 'too many requests', 'Temporal does not answer: too many requests'],
  ])('has the cause and the reason: status %i', async (code, details, reason) => {
    const client = clientThat(() => Promise.reject(grpcError(code, details)));
    expect(await askTemporal(client)).toEqual({ ok: false, reason });
  });
});

describe('the probe of the credentials', () => {
  const ask = (code: ServiceStageErrorCode) => {
    const error = new ServiceStageError({ code, sent: 'no', method: 'GET', path: '/v2', reason: 'why' });
    const serviceStage = { listApplications: () => Promise.reject(error) } as unknown as ServiceStage;
    return askCredentials(serviceStage, { limits: withHeartbeatTimeout(DEFAULT_LIMITS) });
  };

  it('distinguishes a refusal from silence', async () => {
    expect(await ask('NotAllowed')).toEqual({ refused: expect.stringContaining('why') });
    expect(await ask('TokenExpired')).toEqual({ refused: expect.stringContaining('why') });
    expect(await ask('Unreachable')).toEqual({ unanswered: expect.stringContaining('why') });
    expect(await ask('UnreadableAnswer')).toEqual({ unanswered: expect.stringContaining('why') });
  });
});
