/** Plain HTTP calls to the simulator's vendor API, as a client that we did not write would make them. */
import { onTestFinished } from 'vitest';
import { startSimulator, type RunningSimulator, type SimulatorOptions } from '../../src/simulator/server.js';
import { controlOf, type Control } from '../support/simulator.js';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

interface Place {
  readonly instanceId: string;
  /** Path of the instance; `/action` and `/snapshots` follow it. */
  readonly path: string;
}

export interface TestSimulator {
  readonly simulator: RunningSimulator;
  readonly control: Control;
  /** `/v2/{project_id}/cas`. */
  readonly cas: string;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Reply>;
  readonly post: (path: string, body: object | string, headers?: Record<string, string>) => Promise<Reply>;
  readonly act: (place: Place, action: string, parameters?: object) => Promise<Reply>;
  /** What `status_detail` shows. */
  readonly detail: (place: Place) => Promise<Record<string, unknown>>;
  /** The `job` of a cloud job, with its tasks beside it. */
  readonly job: (reply: Reply) => Promise<{ status: unknown; tasks: Record<string, unknown>[] }>;
  /** An instance of the demo world. */
  readonly place: (path: string) => Place;
}

/** A simulator without jitter, closed when the test ends. Calls carry its token unless they bring headers of their own. */
export async function startTestSimulator(options: SimulatorOptions = {}): Promise<TestSimulator> {
  const simulator = await startSimulator({ ...options, switches: { jitter: 0, ...options.switches } });
  onTestFinished(() => simulator.close());
  const cas = `/v2/${simulator.projectId}/cas`;
  const call = async (method: string, path: string, headers: Record<string, string>, body?: string): Promise<Reply> => {
    const answer = await fetch(`${simulator.url}${path}`, {
      method,
      redirect: 'manual',
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: jsonIn(text) };
  };
  const own = { 'X-Auth-Token': simulator.token };
  const get = (path: string, headers: Record<string, string> = own) => call('GET', path, headers);
  const post = (path: string, body: object | string, headers: Record<string, string> = own) =>
    call('POST', path, headers, typeof body === 'string' ? body : JSON.stringify(body));
  return {
    simulator,
    control: controlOf(simulator),
    cas,
    get,
    post,
    act: (place, action, parameters) =>
      post(`${place.path}/action`, parameters === undefined ? { action } : { action, parameters }),
    detail: async (place) => (await get(place.path)).body['status_detail'] as Record<string, unknown>,
    job: async ({ body }) => {
      const read = (await get(`${cas}/jobs/${String(body['job_id'])}?limit=100`)).body;
      const job = read['job'] as Record<string, unknown>;
      return { status: job['EXECUTION_STATUS'], tasks: read['tasks'] as Record<string, unknown>[] };
    },
    place: (path) => {
      const found = simulator.instances.find((instance) => instance.path === path);
      if (found === undefined) throw new Error(`The demo world has no ${path}`);
      const { id, applicationId, componentId } = found;
      const instances = `${cas}/applications/${applicationId}/components/${componentId}/instances`;
      return { instanceId: id, path: `${instances}/${id}` };
    },
  };
}

function jsonIn(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
