/** Answers the vendor's calls. Pure; the server applies credentials and faults. */
import { z } from 'zod';
import {
  applicationBody,
  cloudJobBody,
  componentBody,
  ERRORS,
  instanceBody,
  listedInstanceBody,
  type VendorError,
} from './answers.js';
import { EFFECTS, isActionName } from './effects.js';
import type { Route } from './faults.js';
import type { CloudJob } from './cloud-job.js';
import type { Instance, World } from './world.js';

/** A request to the vendor's API. */
export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** A body, with the cloud job if an action was accepted, or an error. */
export type VendorAnswer = { readonly body: object; readonly accepted?: CloudJob } | { readonly error: VendorError };

/** How a fault changes the acceptance of an action. */
export interface Acceptance {
  readonly visibleLateMs?: number;
  readonly statusVisibleLateMs?: number;
}

/** A call of the vendor's API, matched to a request. */
export interface Call {
  readonly route: Route;
  readonly projectId: string;
  readonly action?: string | undefined;
  readonly instanceId?: string | undefined;
  answer(acceptance?: Acceptance): VendorAnswer;
}

const ID = '([^/]+)';
const PATTERNS: readonly { method: string; route: Route; pattern: RegExp }[] = [
  {
    method: 'POST',
    route: 'action',
    pattern: new RegExp(`^/v2/${ID}/cas/applications/${ID}/components/${ID}/instances/${ID}/action$`),
  },
  {
    method: 'GET',
    route: 'snapshots',
    pattern: new RegExp(`^/v2/${ID}/cas/applications/${ID}/components/${ID}/instances/${ID}/snapshots$`),
  },
  {
    method: 'GET',
    route: 'instance',
    pattern: new RegExp(`^/v2/${ID}/cas/applications/${ID}/components/${ID}/instances/${ID}$`),
  },
  {
    method: 'GET',
    route: 'instances',
    pattern: new RegExp(`^/v2/${ID}/cas/applications/${ID}/components/${ID}/instances$`),
  },
  { method: 'GET', route: 'components', pattern: new RegExp(`^/v2/${ID}/cas/applications/${ID}/components$`) },
  { method: 'GET', route: 'applications', pattern: new RegExp(`^/v2/${ID}/cas/applications$`) },
  { method: 'GET', route: 'job', pattern: new RegExp(`^/v2/${ID}/cas/jobs/${ID}$`) },
];

/** Matches a request to a call; `null` if the vendor has none. */
export function vendorCall(world: World, request: VendorRequest, userId: string): Call | null {
  for (const { method, route, pattern } of PATTERNS) {
    const match = method === request.method ? pattern.exec(request.path) : null;
    if (match === null) continue;
    const [projectId = '', first = '', second = '', third = ''] = match.slice(1).map(decodeURIComponent);
    const place = { applicationId: first, componentId: second, instanceId: third };
    const body = route === 'action' ? jsonIn(request.body) : undefined;
    const answer = (acceptance?: Acceptance): VendorAnswer => {
      world.advance();
      if (route === 'job') return jobAnswer(world, first, projectId, request.query);
      return placeAnswer(world, route, place, { projectId, query: request.query, body, userId, acceptance });
    };
    return {
      route,
      projectId,
      answer,
      ...(third === '' ? {} : { instanceId: third }),
      ...(body === undefined ? {} : { action: String(body['action']) }),
    };
  }
  return null;
}

interface Place {
  readonly applicationId: string;
  readonly componentId: string;
  readonly instanceId: string;
}

interface Given {
  readonly projectId: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown> | undefined;
  readonly userId: string;
  readonly acceptance: Acceptance | undefined;
}

function placeAnswer(world: World, route: Route, place: Place, given: Given): VendorAnswer {
  const { query, projectId } = given;
  if (route === 'applications') {
    const count = (id: string) => world.components.filter(({ applicationId }) => applicationId === id).length;
    return list(
      'applications',
      world.applications.map((item) => applicationBody(item, projectId, count(item.id))),
      query,
    );
  }
  if (!world.applications.some(({ id }) => id === place.applicationId))
    return notFound(world, ERRORS.applicationNotFound);
  const components = world.components.filter(({ applicationId }) => applicationId === place.applicationId);
  if (route === 'components')
    return list(
      'components',
      components.map((item) => componentBody(item, projectId)),
      query,
    );
  if (!components.some(({ id }) => id === place.componentId)) return notFound(world, ERRORS.componentNotFound);
  const instances = world.instances.filter(({ componentId }) => componentId === place.componentId);
  if (route === 'instances')
    return list(
      'instances',
      instances.map((item) => listedInstanceBody(world, item)),
      query,
    );
  const instance = instances.find(({ id }) => id === place.instanceId);
  if (instance === undefined) return notFound(world, ERRORS.instanceNotFound);
  if (route === 'instance') return { body: instanceBody(world, instance) };
  return route === 'snapshots' ? snapshotsAnswer(world, instance, query) : actionAnswer(world, instance, given);
}

function jobAnswer(world: World, id: string, projectId: string, query: URLSearchParams): VendorAnswer {
  const job = world.cloudJobs.get(id);
  if (job === undefined) return notFound(world, ERRORS.jobNotFound);
  // golangsdk, 2026-05: "default 20"; Terraform sends 50.
  const page = {
    limit: Number(query.get('limit') ?? 20),
    offset: Number(query.get('offset') ?? 0),
    descending: query.get('desc') === 'true',
  };
  return { body: cloudJobBody(world, job, projectId, page) };
}

function snapshotsAnswer(world: World, instance: Instance, query: URLSearchParams): VendorAnswer {
  const { snapshots, state } = instance;
  const running = world.switches.snapshotsListRunningVersion
    ? [{ version: state.version, createdAtMs: world.clock.nowMs }]
    : [];
  const rows = [...snapshots, ...running].map(({ version, createdAtMs }) => ({
    version,
    description: JSON.stringify({ action: `New Version: ${version}` }),
    instance_id: instance.id,
    create_time: createdAtMs,
  }));
  return list('snapshots', query.get('order') === 'asc' ? rows : rows.reverse(), query);
}

const ActionBody = z.object({
  action: z.string(),
  parameters: z
    .object({ replica: z.int().optional(), hosts: z.array(z.string()).optional(), version: z.string().optional() })
    .optional(),
});

function actionAnswer(world: World, instance: Instance, { body, userId, acceptance }: Given): VendorAnswer {
  const parsed = ActionBody.safeParse(body);
  if (!parsed.success) return { error: ERRORS.parameterInvalid };
  const { action, parameters = {} } = parsed.data;
  if (!isActionName(action)) return { error: ERRORS.actionUndefined };
  if (action === 'scale' && (parameters.replica ?? 0) < 1) return { error: ERRORS.parameterInvalid };
  if (action === 'scale' && instance.platformType === 'vmapp' && (parameters.hosts ?? []).length === 0)
    return { error: ERRORS.parameterInvalid };
  if (action === 'rollback' && parameters.version === undefined) return { error: ERRORS.parameterInvalid };
  const known = instance.snapshots.some(({ version }) => version === parameters.version);
  if (action === 'rollback' && !known) return notFound(world, ERRORS.snapshotNotFound);
  if (world.isBusy(instance) && world.switches.busy === 'reject') {
    return {
      error: {
        ...ERRORS.parameterInvalid,
        status: world.switches.busyStatus,
        message: 'another operation is in progress on the instance',
      },
    };
  }
  const fits = EFFECTS[action].acceptedIn.includes(instance.state.status) || world.isBusy(instance);
  if (!fits && world.switches.wrongState === 'reject') {
    return {
      error: { ...ERRORS.parameterInvalid, message: `parameter invalid: ${action} in status ${instance.state.status}` },
    };
  }
  const accepted = world.submit({
    instance,
    action,
    parameters,
    userId,
    byConsole: false,
    isNoop: !fits,
    ...acceptance,
  });
  return { body: { job_id: accepted.id }, accepted };
}

function notFound(world: World, error: VendorError): VendorAnswer {
  return {
    error:
      world.switches.notFoundStyle === 401 ? { status: 401, code: 'SVCSTG.00100401', message: error.message } : error,
  };
}

/**
 * The documented limit is 0 to 100, or 1000. Without it there is no paging; any other value silently counts as 10.
 */
function list(key: string, rows: readonly object[], query: URLSearchParams): VendorAnswer {
  const asked = query.get('limit');
  const limit = asked === null ? 1_000 : Number(asked);
  const isAllowed = Number.isInteger(limit) && ((limit >= 0 && limit <= 100) || limit === 1_000);
  const offset = Number(query.get('offset') ?? 0);
  return { body: { count: rows.length, [key]: rows.slice(offset, offset + (isAllowed ? limit : 10)) } };
}

function jsonIn(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
