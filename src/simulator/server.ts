/**
 * The simulated ServiceStage as an HTTP server. It is an independent reading of the API and shares no code with the
 * rest of src.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Gatekeeper, type Account } from './credentials.js';
import { DEMO_WORLD } from './demo-world.js';
import { SimulatorApp } from './simulator-app.js';
import type { Switches } from './switches.js';
import { World } from './world.js';

/** How to start the simulator. */
export interface SimulatorOptions {
  /** 0 picks a free port. */
  readonly port?: number;
  readonly host?: string;
  readonly seed?: number;
  readonly world?: 'demo' | 'empty';
  /** How many times faster cloud jobs run. */
  readonly timeScale?: number;
  readonly switches?: Partial<Switches>;
  /** Token of temporary keys, which must then be sent and signed. */
  readonly securityToken?: string;
  /** Receives one line per request, without secrets. */
  readonly log?: (line: string) => void;
}

/** A running simulator, its addresses and credentials. */
export interface RunningSimulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly projectId: string;
  readonly userId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly token: string;
  readonly iamUser: string;
  readonly iamPassword: string;
  readonly iamDomain: string;
  readonly applications: readonly { readonly id: string; readonly name: string }[];
  readonly components: readonly { readonly id: string; readonly name: string; readonly applicationId: string }[];
  readonly instances: readonly {
    readonly id: string;
    readonly name: string;
    readonly path: string;
    readonly componentId: string;
    readonly applicationId: string;
  }[];
  readonly close: () => Promise<void>;
}

const PROJECT_ID = '0123456789abcdef0123456789abcdef';

/** Starts the simulator with the demo's components. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const {
    port = 0,
    host = '127.0.0.1',
    seed = 1,
    world: kind = 'demo',
    timeScale = 1,
    switches = {},
    securityToken,
    log,
  } = options;
  const world = new World({ seed, timeScale, switches });
  if (kind === 'demo') for (const entry of DEMO_WORLD) world.seed(entry);
  const account: Account = {
    projectId: PROJECT_ID,
    userId: '5eed0000000000000000000000000001',
    user: 'operator',
    password: 'simulated-password',
    domain: 'simulated-account',
  };
  const accessKey = 'SIMULATEDACCESSKEY01';
  const secretKey = `simulated-secret-${world.newId()}`;
  const gatekeeper = new Gatekeeper(world, account, { accessKey, secretKey, securityToken });
  const simulator = new SimulatorApp(world, gatekeeper, log);
  const server = createAdaptorServer({ fetch: simulator.app.fetch });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  const { projectId, userId, user: iamUser, password: iamPassword, domain: iamDomain } = account;
  return {
    url,
    controlUrl: `${url}/control`,
    ...{
      projectId,
      userId,
      accessKey,
      secretKey,
      token: gatekeeper.issueToken().token,
      iamUser,
      iamPassword,
      iamDomain,
    },
    ...listing(world),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The JSON object that a stand-alone simulator prints first. Other programs may rely on its names. */
export function announcement(running: RunningSimulator): object {
  const { close: _close, ...facts } = running;
  return facts;
}

function listing(world: World): Pick<RunningSimulator, 'applications' | 'components' | 'instances'> {
  const nameOf = (list: readonly { id: string; name: string }[], id: string) =>
    list.find((item) => item.id === id)?.name ?? id;
  return {
    applications: world.applications.map(({ id, name }) => ({ id, name })),
    components: world.components.map(({ id, name, applicationId }) => ({ id, name, applicationId })),
    instances: world.instances.map(({ id, name, applicationId, componentId }) => ({
      id,
      name,
      path: `${nameOf(world.applications, applicationId)}/${nameOf(world.components, componentId)}/${name}`,
      applicationId,
      componentId,
    })),
  };
}
