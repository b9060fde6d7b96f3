/**
 * The test API under `/control`: seed instances, move time, arm faults and outcomes, act like the console, read what
 * was accepted.
 */
import { Hono } from 'hono';
import { z } from 'zod';
import type { Gatekeeper } from './credentials.js';
import { isActionName } from './effects.js';
import { ArmedFault, type Faults } from './faults.js';
import type { RequestLog } from './request-log.js';
import { SwitchChange, Switches } from './switches.js';
import { executionStatus, type CloudJob } from './cloud-job.js';
import type { Instance, World } from './world.js';

/** The parts of the simulator that the control API changes and reads. */
export interface ControlParts {
  readonly world: World;
  readonly faults: Faults;
  readonly gatekeeper: Gatekeeper;
  readonly requests: RequestLog;
}

const Seed = z.strictObject({
  application: z.string().min(1),
  component: z.string().min(1),
  name: z.string().min(1),
  platformType: z.string().optional(),
  status: z.string().optional(),
  version: z.string().optional(),
  replica: z.int().min(0).optional(),
  availableReplica: z.int().min(0).optional(),
  hosts: z.array(z.string()).optional(),
  snapshots: z.array(z.string()).optional(),
});

const InstanceChange = z.strictObject({
  status: z.string().optional(),
  version: z.string().optional(),
  replica: z.int().optional(),
  availableReplica: z.int().optional(),
  hosts: z.array(z.string()).optional(),
  failDetail: z.string().nullable().optional(),
  /** What `last_job_id` shows from now on, regardless of the truth; `null` omits it. */
  lastJobId: z.string().nullable().optional(),
});

const TimeChange = z.strictObject({
  advanceMs: z.number().optional(),
  scale: z.number().positive().optional(),
  freeze: z.boolean().optional(),
});

const Outcome = z.strictObject({
  instanceId: z.string(),
  action: z.string().optional(),
  nth: z.int().min(1).default(1),
  executionStatus: z.string().optional(),
  instanceStatus: z.string().optional(),
  messages: z.string().optional(),
  durationMs: z.number().positive().optional(),
  converges: z.boolean().optional(),
  neverEnds: z.boolean().optional(),
});

const Finish = z.strictObject({ instanceId: z.string() });

const ConsoleAction = z.strictObject({
  instanceId: z.string(),
  action: z.string(),
  parameters: z
    .strictObject({
      replica: z.int().optional(),
      hosts: z.array(z.string()).optional(),
      version: z.string().optional(),
    })
    .default({}),
  jobType: z.string().optional(),
  visibleLateMs: z.number().optional(),
});

/** The IAM user id of another person in the console. */
const CONSOLE_USER_ID = 'c0ffee00c0ffee00c0ffee00c0ffee00';

class ControlError extends Error {
  constructor(
    readonly status: 400 | 404,
    readonly problems: readonly string[],
  ) {
    super(problems.join('; '));
  }
}

/** The routes of the control API. */
export function controlApp(parts: ControlParts): Hono {
  const { world, faults, gatekeeper, requests } = parts;
  const app = new Hono();
  app.onError((error, c) => {
    if (error instanceof ControlError) return c.json({ problems: error.problems }, error.status);
    return c.json({ problems: [String(error)] }, 500);
  });
  const find = (id: string): Instance => {
    const instance = world.instances.find((candidate) => candidate.id === id);
    if (instance === undefined) throw new ControlError(404, [`no instance has the id ${id}`]);
    world.advance();
    return instance;
  };
  app.post('/instances', async (c) => {
    const { id: instanceId, applicationId, componentId } = world.seed(read(Seed, await bodyOf(c.req)));
    return c.json({ instanceId, applicationId, componentId });
  });
  app.get('/instances', (c) => c.json({ instances: world.instances.map((instance) => shown(world, instance)) }));
  app.get('/instances/:id', (c) => c.json(shown(world, find(c.req.param('id')))));
  app.patch('/instances/:id', async (c) => {
    const instance = find(c.req.param('id'));
    changeInstance(instance, read(InstanceChange, await bodyOf(c.req)));
    return c.json(shown(world, instance));
  });
  app.post('/time', async (c) => {
    world.clock.change(read(TimeChange, await bodyOf(c.req)));
    world.advance();
    return c.json({ nowMs: world.clock.nowMs });
  });
  app.post('/faults', async (c) => c.json({ id: faults.arm(read(ArmedFault, await bodyOf(c.req))) }));
  app.get('/faults', (c) => c.json({ faults: faults.list() }));
  app.delete('/faults', (c) => {
    faults.disarm();
    return c.json({});
  });
  app.post('/outcomes', async (c) => {
    const { instanceId, action, nth, ...outcome } = read(Outcome, await bodyOf(c.req));
    world.arm(find(instanceId).id, action, nth, outcome);
    return c.json({});
  });
  app.post('/finish', async (c) =>
    c.json({ finished: world.finish(find(read(Finish, await bodyOf(c.req)).instanceId)) }),
  );
  app.post('/console', async (c) => {
    const { instanceId, action, ...rest } = read(ConsoleAction, await bodyOf(c.req));
    if (!isActionName(action)) throw new ControlError(400, [`action: unknown action ${action}`]);
    const job = world.submit({ instance: find(instanceId), action, userId: CONSOLE_USER_ID, byConsole: true, ...rest });
    return c.json({ cloudJobId: job.id });
  });
  app.get('/accepted', (c) => {
    const instanceId = c.req.query('instanceId');
    const jobs = [...world.cloudJobs.values()].filter(
      (job) => instanceId === undefined || job.instanceId === instanceId,
    );
    world.advance();
    return c.json({ accepted: jobs.map((job) => acceptedBody(world, job)) });
  });
  app.get('/requests', (c) => c.json(requests.summary()));
  app.put('/switches', async (c) => {
    const body = await bodyOf(c.req);
    // Keeps only the names that were given, because a schema with defaults would add all the others.
    const given = Object.keys(typeof body === 'object' && body !== null ? body : {});
    const change = Object.entries(read(SwitchChange, body)).filter(([name]) => given.includes(name));
    world.switches = Switches.parse({ ...world.switches, ...Object.fromEntries(change) });
    return c.json(world.switches);
  });
  keyRoutes(app, gatekeeper);
  app.post('/token/expire', (c) => {
    gatekeeper.expireTokens();
    return c.json({});
  });
  app.post('/agency/revoke', (c) => {
    gatekeeper.agencyKeys.revoke();
    return c.json({});
  });
  return app;
}

/** As in the console of IAM: a second access key is created, and the first one deleted. */
function keyRoutes(app: Hono, { accessKeys }: Gatekeeper): void {
  app.get('/keys', (c) => c.json({ accessKeys: accessKeys.ids }));
  app.post('/keys', (c) => {
    const key = accessKeys.create();
    if (key === null) throw new ControlError(400, ['there are two access keys, and a user has at most two']);
    return c.json({ accessKey: key.accessKey, secretKey: key.secretKey });
  });
  app.delete('/keys/:accessKey', (c) => {
    const accessKey = c.req.param('accessKey');
    if (!accessKeys.delete(accessKey)) throw new ControlError(404, [`there is no access key ${accessKey}`]);
    return c.json({ accessKeys: accessKeys.ids });
  });
}

function changeInstance(instance: Instance, change: z.infer<typeof InstanceChange>): void {
  const { failDetail, lastJobId, ...state } = change;
  const given = Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
  instance.state = { ...instance.state, ...given };
  if (failDetail !== undefined) instance.failDetail = failDetail;
  if ('lastJobId' in change) instance.shownLastJobId = lastJobId;
}

function shown(world: World, instance: Instance): object {
  world.advance();
  const { id, name, applicationId, componentId, platformType, state, snapshots } = instance;
  return {
    instanceId: id,
    name,
    applicationId,
    componentId,
    platformType,
    ...state,
    snapshots: snapshots.map(({ version }) => version),
    busy: world.isBusy(instance),
  };
}

function acceptedBody(world: World, job: CloudJob): object {
  const { id, instanceId, action, parameters, userId, byConsole, acceptedAtMs, visibleAtMs, before, after } = job;
  return {
    cloudJobId: id,
    instanceId,
    action,
    parameters,
    userId,
    byConsole,
    atMs: acceptedAtMs,
    visibleAtMs,
    executionStatus: executionStatus(job, world.clock.nowMs),
    /** `null` while it has not ended, and for a job that never ends. */
    endedAtMs: after === undefined ? null : world.appliesAtMs(job),
    before,
    after: after ?? null,
  };
}

async function bodyOf(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new ControlError(400, ['the body is not JSON']);
  }
}

function read<Value>(shape: z.ZodType<Value>, body: unknown): Value {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ControlError(
    400,
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`),
  );
}
