/**
 * The HTTP client of checks. It asks only hosts that the configuration allows, checks the address that it connects to, follows no redirect,
 * sends no credentials, and reads a bounded answer in a bounded time.
 */
import { lookup as resolve } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { addressKind } from './addresses.js';
import { allowedHost, type AllowsUrl } from './allowed-hosts.js';
import { notFollowed, outgoing, type FollowOutgoing, type RequestEnding } from './follow-request.js';
import { withoutBrackets } from './host-and-port.js';
import { proxyAgents, reasonThroughProxy, type ProxyAgents } from './proxy-agents.js';
import type { ProxyFor } from './proxies.js';

/** Which hosts checks may ask, as their variables list them. */
export interface CheckHosts {
  /** `RUNBOOK_CHECK_HOSTS`: their addresses must be public. */
  readonly allowed: readonly string[];
  /** `RUNBOOK_CHECK_INTERNAL_HOSTS`: their addresses may be private or loopback, too. */
  readonly internal: readonly string[];
}

/** What came of one request, in the shape of the domain's `CheckAnswer`, which this folder does not import. */
type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly isCut: boolean;
      readonly address: string | null;
    }
  | { readonly kind: 'unanswered' | 'forbidden'; readonly why: string };

/** Why a URL is not asked, for people. */
interface Refusal {
  readonly found: string;
  readonly remedy: string;
}

interface GetOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** For those who follow the request: whether an answer is the wanted one. Default: every answer is. */
  readonly isMet?: (answer: Answer) => boolean;
}

/** How a client of checks works. */
interface CheckClientOptions {
  /** Resolves names. Default: as the system does. */
  readonly lookup?: typeof resolve;
  /** Default: requests are not followed. */
  readonly follow?: FollowOutgoing | undefined;
}

/** Asks allowed hosts. */
export interface CheckClient {
  /** @returns why a URL may not be asked; `null` if it may, as far as that is known without a DNS query */
  refusalOf(url: string): Refusal | null;
  /** Sends one GET on a connection of its own. @throws the signal's own reason, nothing else */
  get(url: string, options: GetOptions): Promise<Answer>;
}

/** More of a body is not read: a health page is short. Bytes. */
const LARGEST_BODY_BYTES = 64 * 1024;
const LARGEST_HEADERS_BYTES = 16 * 1024;
const LONGEST_URL = 2_000;
const LONGEST_REASON = 300;

/** The address that a name has is not one that checks may reach. */
class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** Creates the client. */
export function createCheckClient(
  { allowed, internal }: CheckHosts,
  proxyFor: ProxyFor,
  { lookup = resolve, follow = notFollowed }: CheckClientOptions = {},
): CheckClient {
  const [publicHosts, internalHosts] = [rulesOf(allowed), rulesOf(internal)];
  const agentsFor = proxyAgents(proxyFor);
  const isInternal = (url: URL) => internalHosts.some((allows) => allows(url));
  const refusalOf = (text: string) => {
    const wrong = wrongUrl(text);
    if (wrong !== null) return wrong;
    const url = new URL(text);
    if (!isInternal(url) && !publicHosts.some((allows) => allows(url)))
      return notListed(url, [...allowed, ...internal]);
    return refusedLiteral(url, isInternal(url));
  };
  return {
    refusalOf,
    get: async (text, { timeoutMs, signal, isMet = () => true }) => {
      signal.throwIfAborted();
      const refusal = refusalOf(text);
      if (refusal !== null) return { kind: 'forbidden', why: `${refusal.found}. ${refusal.remedy}` };
      const url = new URL(text);
      const proxy = agentsFor(url);
      const ask = async (headers: Way['headers']): Promise<Answer> => {
        try {
          return await exchange(
            url,
            { proxy, lookup: guarded(lookup, isInternal(url)), headers },
            { timeoutMs, signal },
          );
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof ForbiddenAddress) return { kind: 'forbidden', why: error.message };
          return { kind: 'unanswered', why: reasonOf(error, proxy) };
        }
      };
      return follow(outgoing('GET', 'check', url), ask, (answer) => endingOf(answer, isMet));
    },
  };
}

function endingOf(answer: Answer, isMet: (answer: Answer) => boolean): RequestEnding {
  if (answer.kind !== 'answered') return { failure: answer.kind };
  return { status: answer.status, ...(isMet(answer) ? {} : { failure: 'unmet' }) };
}

function rulesOf(entries: readonly string[]): AllowsUrl[] {
  return entries.map(allowedHost).filter((allows) => allows !== null);
}

function wrongUrl(text: string): Refusal | null {
  const remedy = 'Write it such as https://shop.example.com/health';
  if (text.length > LONGEST_URL) return { found: `the URL is longer than ${LONGEST_URL} characters`, remedy };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:\/\//i.test(text)) return { found: 'it is not a URL of http or https', remedy };
  // Checked in the text as well, because the parsed URL does not show an empty user.
  if (`${url.username}${url.password}` !== '' || /^https?:\/\/[^/?#]*@/i.test(text))
    return { found: 'the URL contains a user name or password', remedy: 'Remove it; a check sends no credentials' };
  return null;
}

function notListed(url: URL, known: readonly string[]): Refusal {
  const entry = `${url.hostname}${url.port === '' ? '' : `:${url.port}`}`;
  const list = known.length === 0 ? 'no host is' : `allowed are ${known.join(', ').slice(0, LONGEST_REASON)}`;
  return {
    found: `checks may not ask the host ${entry}: ${list}`,
    remedy: `Add ${entry} to RUNBOOK_CHECK_HOSTS of the workers, or to RUNBOOK_CHECK_INTERNAL_HOSTS if its address is private`,
  };
}

function refusedLiteral(url: URL, mayBePrivate: boolean): Refusal | null {
  const address = withoutBrackets(url.hostname);
  const why = isIP(address) === 0 ? null : refusedAddress(address, address, mayBePrivate);
  return why === null ? null : { found: why, remedy: remedyFor(address) };
}

/** @returns why an address may not be connected to; `null` if it may */
function refusedAddress(host: string, address: string, mayBePrivate: boolean): string | null {
  const kind = addressKind(address);
  if (kind === 'public' || (kind === 'private' && mayBePrivate)) return null;
  const of = host === address ? address : `${host} has the address ${address}, which`;
  return kind === 'private' ? `${of} is private` : `${of} is never asked: link-local, metadata, multicast or reserved`;
}

function remedyFor(address: string): string {
  return addressKind(address) === 'private'
    ? 'List the host in RUNBOOK_CHECK_INTERNAL_HOSTS of the workers if that is meant'
    : 'Name another host';
}

/** The look-up that the connection itself makes, so that no second answer of the DNS can differ from the judged one. One forbidden address forbids all. */
function guarded(lookup: typeof resolve, mayBePrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      for (const { address } of addresses) {
        const why = refusedAddress(hostname, address, mayBePrivate);
        if (why !== null) return callback(new ForbiddenAddress(`${why}. ${remedyFor(address)}`), []);
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

interface Way {
  /** Through a proxy the proxy resolves the name: it decides which addresses can be reached. */
  readonly proxy: ProxyAgents | null;
  readonly lookup: LookupFunction;
  /** Sent besides our own. */
  readonly headers: Readonly<Record<string, string>>;
}

function exchange(
  url: URL,
  { proxy, lookup, headers }: Way,
  { timeoutMs, signal }: Pick<GetOptions, 'timeoutMs' | 'signal'>,
): Promise<Answer> {
  const isSecure = url.protocol === 'https:';
  const tunnel = new AbortController();
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    method: 'GET',
    ...(proxy === null ? { lookup } : {}),
    // One connection for each request, never a pooled one that somebody else opened.
    agent: proxy === null ? false : proxy.ofItsOwn(isSecure, tunnel.signal),
    headers: { 'user-agent': 'servicestage-runbooks', accept: '*/*', 'accept-encoding': 'identity', ...headers },
    maxHeaderSize: LARGEST_HEADERS_BYTES,
    // Also with NODE_TLS_REJECT_UNAUTHORIZED=0.
    rejectUnauthorized: true,
    signal,
  };
  return new Promise((resolveAnswer, reject) => {
    const request = (isSecure ? requestHttps : requestHttp)(url, options);
    const over = () => {
      clearTimeout(timeOut);
      tunnel.abort();
      request.destroy();
    };
    const fail = (error: Error) => {
      over();
      reject(error);
    };
    // Node reports no error of a request whose socket is closed already: after a 101, for example.
    const timeOut = setTimeout(() => fail(new Error(`no complete answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', fail);
    request.on('response', (response) => {
      const address = proxy === null ? (response.socket.remoteAddress ?? null) : null;
      readBody(response).then(({ body, isCut }) => {
        over();
        resolveAnswer({
          kind: 'answered',
          status: response.statusCode ?? 0,
          headers: headersOf(response),
          body,
          isCut,
          address,
        });
      }, fail);
    });
    request.end();
  });
}

async function readBody(response: IncomingMessage): Promise<{ body: string; isCut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LARGEST_BODY_BYTES) break;
  }
  const isCut = bytes > LARGEST_BODY_BYTES;
  return { body: Buffer.concat(chunks).subarray(0, LARGEST_BODY_BYTES).toString('utf8'), isCut };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(', ')]],
    ),
  );
}

/** Only the code and the first line. */
function reasonOf(error: unknown, proxy: ProxyAgents | null): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const reason = `${code}${error.message.split('\n')[0]}`;
  return (proxy === null ? reason : reasonThroughProxy(proxy, reason)).slice(0, LONGEST_REASON);
}
