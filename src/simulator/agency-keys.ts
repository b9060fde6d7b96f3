/** Temporary access keys, as the metadata service of an ECS with an agency gives them. */
import { createHash } from 'node:crypto';
import type { World } from './world.js';

/** A temporary key. */
export interface AgencyKey {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly securityToken: string;
  readonly expiresAtMs: number;
}

/** An answer of the metadata service; a text is sent as it is. */
export interface MetadataAnswer {
  readonly status: number;
  readonly body: object | string;
}

/** "The temporary AK and SK are updated 10 minutes ahead of the expiration time" of an hour: a sixth of it. */
const REPLACED_AT_FRACTION = 1 / 6;

/** The metadata service of the one simulated server, by the simulator's own clock. */
export class AgencyKeys {
  readonly #keys: AgencyKey[] = [];
  readonly #tokens = new Map<string, number>();

  constructor(private readonly world: World) {}

  /** `PUT /meta-data/latest/api/token`. */
  token(ttlSeconds: string | undefined): MetadataAnswer {
    if (this.world.switches.metadataToken === 'unknown') return { status: 404, body: '404 Not Found' };
    const seconds = Number(ttlSeconds);
    if (!(seconds >= 1 && seconds <= 21_600)) return { status: 400, body: '400 Bad Request' };
    const token = this.#text('metadata-token').slice(0, 56);
    this.#tokens.set(token, this.#nowMs + seconds * 1_000);
    return { status: 200, body: token };
  }

  /** `GET /openstack/latest/securitykey`. */
  key(token: string | undefined): MetadataAnswer {
    const { metadataToken, agency } = this.world.switches;
    const isKnown = token !== undefined && (this.#tokens.get(token) ?? 0) > this.#nowMs;
    if (token === undefined ? metadataToken === 'required' : !isKnown) return { status: 401, body: '401 Unauthorized' };
    if (!agency) return { status: 401, body: 'Please configure Cloud Service Agency first' };
    const { accessKey, secretKey, securityToken, expiresAtMs } = this.#current();
    const expires = `${new Date(expiresAtMs).toISOString().slice(0, -1)}000Z`;
    return {
      status: 200,
      body: {
        credential: { access: accessKey, secret: secretKey, securitytoken: securityToken, expires_at: expires },
      },
    };
  }

  /** A key that has not expired, by its id. */
  find(accessKey: string): AgencyKey | undefined {
    return this.#keys.find((key) => key.accessKey === accessKey && key.expiresAtMs > this.#nowMs);
  }

  /** Refuses every key that was given out, as when an agency loses its rights or is replaced. */
  revoke(): void {
    this.#keys.length = 0;
  }

  #current(): AgencyKey {
    const lifeMs = this.world.switches.agencyKeyLifetimeSeconds * 1_000;
    const last = this.#keys.at(-1);
    if (last !== undefined && last.expiresAtMs - this.#nowMs > lifeMs * REPLACED_AT_FRACTION) return last;
    const key = {
      accessKey: `SIMTEMP${this.#text('access').slice(0, 13).toUpperCase()}`,
      secretKey: this.#text('secret'),
      securityToken: `sim.${this.#text('security-token').repeat(4)}`,
      expiresAtMs: this.#nowMs + lifeMs,
    };
    this.#keys.push(key);
    return key;
  }

  #text(what: string): string {
    return createHash('sha256').update(`${what} ${this.world.newId()}`).digest('hex');
  }

  get #nowMs(): number {
    return this.world.clock.nowMs;
  }
}
