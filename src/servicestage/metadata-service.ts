/**
 * The metadata service of an Elastic Cloud Server, which gives temporary access keys of its agency. Sources: Elastic
 * Cloud Server, "Obtaining Metadata" (2024-07); `MetadataAccessor` of Huawei's Java SDK (2025), from which the token
 * comes that newer servers ask for.
 */
import { Agent } from 'node:http';
import { got, type Response } from 'got';
import { z } from 'zod';
import { abortOverdue } from '../network/overdue.js';
import { ServiceStageError, type ServiceStageErrorCode } from './errors.js';
import { Secret } from './secret.js';
import type { AccessKey } from './sign-request.js';

/** A temporary key. */
export interface TemporaryKey extends AccessKey {
  readonly securityToken: Secret;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

const TOKEN_PATH = '/meta-data/latest/api/token';
const KEY_PATH = '/openstack/latest/securitykey';
/** As long as Huawei's SDK asks for. */
const TOKEN_LIFE_S = 21_600;
/** An older service has no tokens, and may be renewed. As Huawei's SDK waits. */
const ASK_FOR_TOKEN_AGAIN_MS = 86_400_000;
const NO_AGENCY = /Please configure Cloud Service Agency/i;
/** Chosen: an answer has about 4 KB. */
const LARGEST_BODY_BYTES = 64 * 1024;

const text = z.string().min(1);
const KeyAnswer = z.object({
  credential: z.object({ access: text, secret: text, securitytoken: text, expires_at: text }),
});

/** Asks the service of this machine. */
export class MetadataService {
  /** Our own agent, because Node's global one may be configured to use a proxy. */
  readonly #agent = new Agent();
  #token: string | null = null;
  #noTokensUntilMs = 0;

  /** @param endpoint `http://169.254.169.254`, or the simulator's */
  constructor(
    private readonly endpoint: string,
    private readonly nowMs: () => number,
  ) {}

  /** The key that the service has now. @throws ServiceStageError: `NotAllowed` where the machine has no agency, else `Unreachable` or `UnreadableAnswer` */
  async fetchKey(timeoutMs: number): Promise<TemporaryKey> {
    // Monotonic: the clock of the machine may be set meanwhile.
    const deadlineAtMs = performance.now() + timeoutMs;
    if (this.#token === null && this.nowMs() >= this.#noTokensUntilMs) await this.#fetchToken(deadlineAtMs);
    let answer = await this.#ask('GET', KEY_PATH, this.#tokenHeader(), deadlineAtMs);
    if (answer.statusCode === 401 && !NO_AGENCY.test(answer.body)) {
      // The token has expired, or the service began to ask for one.
      await this.#fetchToken(deadlineAtMs);
      answer = await this.#ask('GET', KEY_PATH, this.#tokenHeader(), deadlineAtMs);
    }
    if (answer.statusCode !== 200) throw keyRefused(answer);
    return readKey(answer.body);
  }

  #tokenHeader(): Record<string, string> {
    return this.#token === null ? {} : { 'X-Metadata-Token': this.#token };
  }

  async #fetchToken(deadlineAtMs: number): Promise<void> {
    this.#token = null;
    const headers = { 'X-Metadata-Token-Ttl-Seconds': String(TOKEN_LIFE_S) };
    const { statusCode, body } = await this.#ask('PUT', TOKEN_PATH, headers, deadlineAtMs);
    if (statusCode === 200 && /^[\x21-\x7e]+$/.test(body.trim())) this.#token = body.trim();
    else if (statusCode === 404 || statusCode === 405) this.#noTokensUntilMs = this.nowMs() + ASK_FOR_TOKEN_AGAIN_MS;
    else throw failed('Unreachable', `the metadata service gave no token: it answered ${statusCode}`);
  }

  async #ask(
    method: 'GET' | 'PUT',
    path: string,
    headers: Record<string, string>,
    deadlineAtMs: number,
  ): Promise<Response<string>> {
    const givenUp = new AbortController();
    const leftMs = Math.max(1, Math.ceil(deadlineAtMs - performance.now()));
    try {
      const asked = got(`${this.endpoint}${path}`, {
        method,
        headers,
        agent: { http: this.#agent },
        timeout: { request: leftMs },
        retry: { limit: 0 },
        followRedirect: false,
        throwHttpErrors: false,
        responseType: 'text',
        signal: givenUp.signal,
      });
      void asked.on('downloadProgress', ({ transferred }) => {
        if (transferred > LARGEST_BODY_BYTES) givenUp.abort('its answer is too large');
      });
      return await abortOverdue(asked, leftMs, givenUp, 'no end in time');
    } catch (error) {
      const [reason = ''] = String(givenUp.signal.aborted ? givenUp.signal.reason : error).split('\n');
      throw failed('Unreachable', `the metadata service did not answer: ${reason.slice(0, 300)}`);
    }
  }
}

function keyRefused({ statusCode, body }: Response<string>): ServiceStageError {
  const hasNoAgency = NO_AGENCY.test(body);
  if (hasNoAgency || statusCode === 404)
    return failed(
      'NotAllowed',
      `the metadata service has no keys (${statusCode}): choose an agency for this server, in its details under Management Information`,
    );
  return failed('Unreachable', `the metadata service gave no keys: it answered ${statusCode}`);
}

/** No part of the body is shown: it may hold keys. */
function readKey(body: string): TemporaryKey {
  const { success, data } = KeyAnswer.safeParse(jsonIn(body));
  const expiresAtMs = success ? Date.parse(data.credential.expires_at) : Number.NaN;
  if (!success || Number.isNaN(expiresAtMs))
    throw failed('UnreadableAnswer', 'the metadata service answered without readable keys');
  const { access, secret, securitytoken } = data.credential;
  return { accessKey: access, secretKey: new Secret(secret), securityToken: new Secret(securitytoken), expiresAtMs };
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // The reader reports what is missing.
  }
}

function failed(code: ServiceStageErrorCode, reason: string): ServiceStageError {
  return new ServiceStageError({ code, sent: 'no', method: 'GET', path: KEY_PATH, reason });
}
