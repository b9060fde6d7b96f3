/**
 * Authentication at the API: a ready-made token, a token fetched from IAM and renewed, or an access key that signs
 * each request.
 */
import { AgencyKey } from './agency-key.js';
import type { Authenticator } from './authenticator.js';
import type { HttpClient } from './http.js';
import { ServiceStageError } from './errors.js';
import { fixedKey, followedKey, followedToken, type KeyReader } from './key-source.js';
import { MetadataService } from './metadata-service.js';
import type { Secret } from './secret.js';
import type { AccessKey, RequestToSign } from './sign-request.js';
import { SigningAuthenticator } from './signing-auth.js';
import { TokenAnswer } from './wire.js';

/** How to authenticate: exactly one of these ways. */
export type Credentials =
  | ({ readonly kind: 'accessKey' } & AccessKey)
  /** An access key in files, which may be replaced at any time. */
  | ({ readonly kind: 'keyFiles' } & KeyReader)
  /** Temporary keys of the agency of this server. */
  | { readonly kind: 'ecsAgency'; readonly metadataEndpoint: string }
  | { readonly kind: 'token'; readonly token: Secret }
  | {
      readonly kind: 'password';
      readonly iamEndpoint: string;
      readonly user: string;
      readonly password: Secret;
      readonly domain: string;
    };

/** Credentials, and how to reach IAM. */
export interface AuthenticatorOptions {
  readonly http: HttpClient;
  readonly projectId: string;
  readonly credentials: Credentials;
  /** Used to look up the user of an access key. */
  readonly iamEndpoint?: string | undefined;
  readonly nowMs?: () => number;
}

/** Renew when a tenth of a token's lifetime is left: Huawei asks to renew "well before expiry". */
const RENEW_AT_FRACTION = 0.1;
/**
 * A refused password is not tried again for this long, because IAM locks accounts after a configured number of
 * tries. Chosen.
 */
const REFUSED_FOR_MS = 60_000;

/** Creates the authenticator for the given kind of credentials. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { credentials, nowMs = Date.now } = options;
  switch (credentials.kind) {
    case 'accessKey':
      return new SigningAuthenticator(options, fixedKey(credentials));
    case 'keyFiles':
      return new SigningAuthenticator(options, followedKey(credentials, nowMs));
    case 'ecsAgency': {
      const metadata = new MetadataService(credentials.metadataEndpoint, nowMs);
      const fetchKey = (timeoutMs: number) => metadata.fetchKey(timeoutMs);
      return new SigningAuthenticator(options, new AgencyKey({ fetchKey, nowMs }));
    }
    case 'password':
      return new PasswordAuthenticator(options, credentials);
    case 'token':
      return tokenAuthenticator(credentials.token, nowMs);
  }
}

function tokenAuthenticator(secret: Secret, nowMs: () => number): Authenticator {
  const token = followedToken(secret, nowMs);
  return {
    ready: async () => {},
    headersFor: (request) => ({ ...request.headers, 'X-Auth-Token': token.current() }),
    renew: (sentAtMs) => token.refused(sentAtMs),
    ownUserId: async () => null,
  };
}

interface Token {
  readonly value: string;
  readonly userId: string | null;
  readonly fetchedAtMs: number;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

class PasswordAuthenticator implements Authenticator {
  #token: Token | null = null;
  #fetching: Promise<Token> | null = null;
  #refused: { readonly error: ServiceStageError; readonly password: string; readonly untilMs: number } | null = null;

  constructor(
    private readonly options: AuthenticatorOptions,
    private readonly login: Extract<Credentials, { kind: 'password' }>,
  ) {}

  async ready(timeoutMs: number): Promise<void> {
    const nowMs = this.#nowMs();
    if (this.#token !== null && nowMs < this.#token.renewAtMs) return;
    const fetching = this.#fetch(timeoutMs);
    if (this.#token === null || nowMs >= this.#token.expiresAtMs) await fetching;
    else fetching.catch(() => {}); // The current token is still valid; the next request tries to renew it again.
  }

  headersFor(request: RequestToSign): Record<string, string> {
    if (this.#token === null) throw new TypeError('There is no token yet: call ready first');
    return { ...request.headers, 'X-Auth-Token': this.#token.value };
  }

  renew(sentAtMs: number, why: 'expired' | 'refused'): boolean {
    if (why === 'refused') return false;
    // A late answer to a request with an older token does not concern the current one.
    if (this.#token !== null && this.#token.fetchedAtMs <= sentAtMs)
      this.#token = { ...this.#token, renewAtMs: 0, expiresAtMs: 0 };
    return true;
  }

  async ownUserId(timeoutMs: number): Promise<string | null> {
    if (this.#token === null) await this.ready(timeoutMs);
    return this.#token?.userId ?? null;
  }

  /** Makes one request at a time, however many callers wait for it. */
  #fetch(timeoutMs: number): Promise<Token> {
    const refused = this.#refused;
    if (refused !== null && this.#nowMs() < refused.untilMs && refused.password === this.login.password.reveal())
      return Promise.reject(refused.error);
    this.#fetching ??= this.#fetchNow(timeoutMs).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchNow(timeoutMs: number): Promise<Token> {
    const { http, projectId } = this.options;
    const { iamEndpoint, user, domain } = this.login;
    const password = this.login.password.reveal();
    const identity = { methods: ['password'], password: { user: { name: user, password, domain: { name: domain } } } };
    try {
      const answer = await http.send({
        endpoint: iamEndpoint,
        method: 'POST',
        path: '/v3/auth/tokens',
        query: [['nocatalog', 'true']],
        body: JSON.stringify({ auth: { identity, scope: { project: { id: projectId } } } }),
        timeoutMs,
        headersFor: (request) => ({ ...request.headers }),
        secrets: [password],
      });
      this.#token = this.#readToken(answer.header('x-subject-token'), answer.json);
      return this.#token;
    } catch (error) {
      if (!(error instanceof ServiceStageError)) throw error;
      const failure = notSignedIn(error);
      if (failure.code === 'NotAllowed')
        this.#refused = { error: failure, password, untilMs: this.#nowMs() + REFUSED_FOR_MS };
      throw failure;
    }
  }

  #readToken(value: string | undefined, body: unknown): Token {
    const parsed = TokenAnswer.safeParse(body);
    const expiresAtMs = parsed.success ? Date.parse(parsed.data.token.expires_at) : Number.NaN;
    if (value === undefined || !parsed.success || Number.isNaN(expiresAtMs)) {
      throw new ServiceStageError({
        code: 'UnreadableAnswer',
        sent: 'no',
        method: 'POST',
        path: '/v3/auth/tokens',
        reason: 'IAM answered without a readable token',
      });
    }
    const nowMs = this.#nowMs();
    return {
      value,
      userId: parsed.data.token.user?.id ?? null,
      fetchedAtMs: nowMs,
      expiresAtMs,
      renewAtMs: expiresAtMs - (expiresAtMs - nowMs) * RENEW_AT_FRACTION,
    };
  }

  #nowMs(): number {
    return this.options.nowMs?.() ?? Date.now();
  }
}

/** Fetching a token changes nothing at ServiceStage, so whatever IAM answers, nothing was sent. */
function notSignedIn(error: ServiceStageError): ServiceStageError {
  if (error.sent === 'no') return error;
  return new ServiceStageError({
    ...error.facts,
    code: error.sent === 'refused' ? 'NotAllowed' : 'Unreachable',
    sent: 'no',
  });
}
