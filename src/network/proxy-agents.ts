/** Agents that open connections through an HTTP proxy, by CONNECT for both schemes: a refused tunnel proves that no request was sent. */
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { HttpProxyAgent, HttpsProxyAgent, type ProxyAgentRequestOptions } from 'hpagent';
import { withoutBrackets } from './host-and-port.js';
import { proxyName, type ProxyFor } from './proxies.js';

/** One proxy, as HTTP clients take it. */
export interface ProxyAgents {
  readonly http: TunnelAgent;
  readonly https: SecureTunnelAgent;
  /** For one connection that ends with the signal, also while the proxy has not opened the tunnel; the library itself never exposes it. */
  readonly ofItsOwn: (isSecure: boolean, signal: AbortSignal) => TunnelAgent | SecureTunnelAgent;
  /** Such as `http://proxy:3128`: without credentials. */
  readonly name: string;
}

/** Longest silence of a proxy that is asked for a tunnel; also how long an idle connection is kept. Chosen. */
const SILENT_FOR_MS = 30_000;

type Opened = (error: Error | null, socket: Duplex) => void;

/** For `http:` URLs. */
class TunnelAgent extends HttpProxyAgent {
  override createConnection(options: ConnectionOptions, opened?: Opened): Duplex | null | undefined {
    return super.createConnection(withBrackets(options), opened);
  }
}

/** For `https:` URLs. The handshake has begun, not ended, when the socket is handed over. */
class SecureTunnelAgent extends HttpsProxyAgent {
  override createConnection(options: ConnectionOptions, opened?: Opened): Duplex | null | undefined {
    return super.createConnection(withBrackets(options), opened);
  }
}

/** The agents for a URL, or `null` for a direct connection. Kept for each proxy, so that reads share connections. */
export function proxyAgents(proxyFor: ProxyFor): (url: URL) => ProxyAgents | null {
  const known = new Map<string, ProxyAgents>();
  return (url) => {
    const proxy = proxyFor(url);
    if (proxy === null) return null;
    const agents = known.get(proxy.href) ?? agentsOf(proxy);
    known.set(proxy.href, agents);
    return agents;
  };
}

function agentsOf(proxy: URL): ProxyAgents {
  const { protocol, port, username, password } = proxy;
  // The library passes the host to Node as written in the URL, where an IPv6 address has brackets.
  const hostname = withoutBrackets(proxy.hostname);
  const options = {
    proxy: { protocol, hostname, port, username, password } as URL,
    keepAlive: true,
    timeout: SILENT_FOR_MS,
  };
  return {
    http: new TunnelAgent(options),
    https: new SecureTunnelAgent(options),
    ofItsOwn: (isSecure, signal) => {
      // The library hands them to Node's `request`, whose options its types do not all name.
      const proxyRequestOptions: ProxyAgentRequestOptions & { signal: AbortSignal } = { signal };
      return new (isSecure ? SecureTunnelAgent : TunnelAgent)({ ...options, proxyRequestOptions });
    },
    name: proxyName(proxy),
  };
}

/** The library writes `host:port` of CONNECT itself, without brackets for IPv6. A certificate is still compared with the address alone. */
function withBrackets(options: ConnectionOptions): ConnectionOptions {
  const { host = '' } = options;
  if (!isIPv6(host)) return options;
  return {
    ...options,
    host: `[${host}]`,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate),
  };
}

/** In words: the library's own message names neither CONNECT nor the proxy. */
export function reasonThroughProxy({ name }: Pick<ProxyAgents, 'name'>, reason: string): string {
  const status = /Bad response: (\d{3})/.exec(reason)?.[1];
  return `through the proxy ${name}: ${status === undefined ? reason : `it answered ${status} to CONNECT`}`;
}
