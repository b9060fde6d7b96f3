/**
 * Authentication: tokens that the simulated IAM issued, and AK/SK signatures, verified over the bytes that were
 * sent.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AccessKeys, type SimulatedKey } from './access-keys.js';
import { AgencyKeys } from './agency-keys.js';
import { ERRORS, unknownKey, type VendorError } from './answers.js';
import type { World } from './world.js';

/** The account whose credentials are accepted. */
export interface Account {
  readonly projectId: string;
  readonly userId: string;
  readonly user: string;
  readonly password: string;
  readonly domain: string;
}

/** A request as far as authentication needs it. */
export interface SentRequest {
  readonly method: string;
  /** Path and query, exactly as on the request line. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const LARGEST_SKEW_MS = 15 * 60_000;
const FAILURES_BEFORE_LOCK = 5;
const LOCKED_FOR_MS = 5 * 60_000;
const AUTHORIZATION = /^SDK-HMAC-SHA256 Access=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Issues tokens and checks the credentials of requests. */
export class Gatekeeper {
  /** Expiry by token, epoch milliseconds. */
  readonly #tokens = new Map<string, number>();
  readonly accessKeys: AccessKeys;
  /** Also accepted: the temporary keys of the simulated server's agency. */
  readonly agencyKeys: AgencyKeys;
  /** By access key. */
  readonly #failures = new Map<string, { inARow: number; lockedUntilMs: number }>();

  /** @param firstKey the account's access key, until a tester deletes it */
  constructor(
    private readonly world: World,
    readonly account: Account,
    firstKey: SimulatedKey,
  ) {
    this.accessKeys = new AccessKeys(firstKey, () => world.newId());
    this.agencyKeys = new AgencyKeys(world);
  }

  issueToken(): { token: string; expiresAtMs: number } {
    const token = `MIIsimulated${createHash('sha256').update(this.world.newId()).digest('base64url').repeat(4)}`;
    const expiresAtMs = this.world.clock.nowMs + this.world.switches.tokenLifetimeSeconds * 1_000;
    this.#tokens.set(token, expiresAtMs);
    return { token, expiresAtMs };
  }

  expireTokens(): void {
    for (const token of this.#tokens.keys()) this.#tokens.set(token, 0);
  }

  /** The reason to refuse the request; `null` to accept it. */
  refuse(request: SentRequest): VendorError | null {
    const token = headerOf(request, 'x-auth-token');
    if (token !== undefined) return this.#refuseToken(token);
    const authorization = headerOf(request, 'authorization');
    if (authorization === undefined) return ERRORS.noToken;
    return this.#refuseSignature(request, authorization);
  }

  #refuseSignature(request: SentRequest, authorization: string): VendorError | null {
    const [, access = '', names = '', signature = ''] = AUTHORIZATION.exec(authorization) ?? [];
    const key = this.accessKeys.find(access) ?? this.agencyKeys.find(access);
    const { inARow, lockedUntilMs } = this.#failures.get(access) ?? { inARow: 0, lockedUntilMs: 0 };
    const nowMs = this.world.clock.nowMs;
    if (nowMs < lockedUntilMs) return ERRORS.keyLocked;
    if (key !== undefined && this.#isSigned(request, key, { names: names.split(';'), signature })) {
      this.#failures.delete(access);
      return null;
    }
    const locks = inARow + 1 > FAILURES_BEFORE_LOCK;
    this.#failures.set(access, { inARow: inARow + 1, lockedUntilMs: locks ? nowMs + LOCKED_FOR_MS : 0 });
    return key === undefined && access !== '' ? unknownKey(access) : ERRORS.badCredentials;
  }

  #refuseToken(token: string): VendorError | null {
    const expiresAtMs = this.#tokens.get(token);
    if (expiresAtMs === undefined) return ERRORS.badToken;
    return expiresAtMs <= this.world.clock.nowMs ? ERRORS.tokenExpired : null;
  }

  #isSigned(
    request: SentRequest,
    { secretKey, securityToken }: Pick<SimulatedKey, 'secretKey' | 'securityToken'>,
    { names, signature }: { readonly names: readonly string[]; readonly signature: string },
  ): boolean {
    const date = headerOf(request, 'x-sdk-date');
    if (date === undefined) return false;
    const mustSign = ['host', 'x-sdk-date', ...(securityToken === undefined ? [] : ['x-security-token'])];
    if (!mustSign.every((name) => names.includes(name))) return false;
    if (securityToken !== undefined && headerOf(request, 'x-security-token') !== securityToken) return false;
    if (Math.abs(timeOf(date) - this.world.clock.nowMs) > LARGEST_SKEW_MS) return false;
    const expected = createHmac('sha256', secretKey)
      .update(`SDK-HMAC-SHA256\n${date}\n${sha256(canonicalRequest(request, names))}`)
      .digest('hex');
    return timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  }
}

function canonicalRequest(request: SentRequest, signed: readonly string[]): string {
  const [rawPath = '/', rawQuery = ''] = request.url.split('?');
  const path = rawPath
    .split('/')
    .map((segment) => percentEncode(decodeURIComponent(segment)))
    .join('/');
  const pairs = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=').map((part) => percentEncode(decodeURIComponent(part)));
      return { name, value, text: `${name}=${value}` };
    });
  // The vendor sorts by decoded name. The names of this API need no encoding, so the order is the same.
  pairs.sort((left, right) =>
    left.name === right.name ? compare(left.value, right.value) : compare(left.name, right.name),
  );
  const headers = signed.map((name) => `${name}:${(headerOf(request, name) ?? '').trim()}\n`).join('');
  const payload = headerOf(request, 'x-sdk-content-sha256') ?? sha256(request.body);
  const query = pairs.map(({ text }) => text).join('&');
  return [request.method, path.endsWith('/') ? path : `${path}/`, query, headers, signed.join(';'), payload].join('\n');
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function percentEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

function timeOf(date: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function headerOf({ headers }: Pick<SentRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
