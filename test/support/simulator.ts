/** A typed client of the simulator's control API. It throws an error with the problems if a call is refused. */
import type { RunningSimulator } from '../../src/simulator/server.js';

export interface SeedRequest {
  readonly application: string;
  readonly component: string;
  readonly name: string;
  readonly platformType?: string;
  readonly status?: string;
  readonly version?: string;
  readonly replica?: number;
  readonly availableReplica?: number;
  readonly hosts?: readonly string[];
  readonly snapshots?: readonly string[];
}

export interface AcceptedAction {
  readonly cloudJobId: string;
  readonly instanceId: string;
  readonly action: string;
  readonly parameters: Record<string, unknown>;
  readonly userId: string;
  readonly byConsole: boolean;
  readonly atMs: number;
  readonly visibleAtMs: number;
  readonly executionStatus: string;
  /** When it had ended and taken effect; `null` before that. */
  readonly endedAtMs: number | null;
  readonly before: InstanceState;
  /** The instance after it took effect. */
  readonly after: InstanceState | null;
}

export interface InstanceState {
  readonly status: string;
  readonly version: string;
  readonly replica: number;
  readonly availableReplica: number;
}

export interface ShownInstance {
  readonly instanceId: string;
  readonly status: string;
  readonly version: string;
  readonly replica: number;
  readonly availableReplica: number;
  readonly snapshots: readonly string[];
  readonly busy: boolean;
}

export interface FaultRequest {
  readonly on?: { readonly route?: string; readonly action?: string; readonly instanceId?: string };
  readonly nth?: number;
  readonly times?: number;
  readonly forMs?: number;
  readonly fault: { readonly kind: string; readonly [parameter: string]: unknown };
}

export interface ArmedFault extends FaultRequest {
  readonly id: number;
  readonly hits: number;
  readonly hitAtMs: readonly number[];
}

export type Control = ReturnType<typeof controlOf>;

export function controlOf({ controlUrl }: Pick<RunningSimulator, 'controlUrl'>) {
  const call = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`${controlUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = (await answer.json()) as Answer & { problems?: string[] };
    if (!answer.ok) throw new Error(`${method} ${path}: ${json.problems?.join('; ') ?? answer.status}`);
    return json;
  };
  return {
    createInstance: (seed: SeedRequest) =>
      call<{ instanceId: string; applicationId: string; componentId: string }>('POST', '/instances', seed),
    instance: (instanceId: string) => call<ShownInstance>('GET', `/instances/${instanceId}`),
    change: (instanceId: string, change: object) => call<ShownInstance>('PATCH', `/instances/${instanceId}`, change),
    time: (change: { advanceMs?: number; scale?: number; freeze?: boolean }) =>
      call<{ nowMs: number }>('POST', '/time', change),
    fault: (fault: FaultRequest) => call<{ id: number }>('POST', '/faults', fault),
    faults: async () => (await call<{ faults: ArmedFault[] }>('GET', '/faults')).faults,
    clearFaults: () => call<object>('DELETE', '/faults'),
    outcome: (outcome: { instanceId: string; action?: string; nth?: number; [armed: string]: unknown }) =>
      call<object>('POST', '/outcomes', outcome),
    /** Ends the cloud jobs in flight on an instance now, with the result they would have had. */
    finish: (instanceId: string) => call<{ finished: number }>('POST', '/finish', { instanceId }),
    console: (action: {
      instanceId: string;
      action: string;
      parameters?: object;
      jobType?: string;
      visibleLateMs?: number;
    }) => call<{ cloudJobId: string }>('POST', '/console', action),
    accepted: async (instanceId?: string) =>
      (
        await call<{ accepted: AcceptedAction[] }>(
          'GET',
          `/accepted${instanceId === undefined ? '' : `?instanceId=${instanceId}`}`,
        )
      ).accepted,
    requests: () =>
      call<{
        counts: Record<string, number>;
        unexpected: number;
        requests: { method: string; path: string; route: string; answer: string }[];
      }>('GET', '/requests'),
    switches: (change: object) => call<object>('PUT', '/switches', change),
    expireTokens: () => call<object>('POST', '/token/expire'),
    accessKeys: async () => (await call<{ accessKeys: string[] }>('GET', '/keys')).accessKeys,
    createKey: () => call<{ accessKey: string; secretKey: string }>('POST', '/keys'),
    deleteKey: (accessKey: string) => call<object>('DELETE', `/keys/${accessKey}`),
    revokeAgency: () => call<object>('POST', '/agency/revoke'),
  };
}
