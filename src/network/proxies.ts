/** Which proxy a request goes through, by the rules that curl, Go and others share. Pure: the variables are read in `config-proxies.ts`. */
import { BlockList, isIP } from 'node:net';

/** The proxy for a URL, or `null` for a direct connection. */
export type ProxyFor = (url: URL) => URL | null;

/** Where nothing is configured. */
export const noProxies: ProxyFor = () => null;

/** Channel arguments of a gRPC client that asks no proxy of the environment: grpc-js does by itself, for loopback too. */
export const GRPC_WITHOUT_PROXY = { 'grpc.enable_http_proxy': 0 } as const;

export interface ProxySettings {
  /** For `https:` URLs. */
  readonly https: URL | null;
  /** For `http:` URLs. */
  readonly http: URL | null;
  /** Entries of `NO_PROXY`: hosts, domains, addresses, networks such as `10.0.0.0/8`, each with an optional port, or `*`. */
  readonly except: readonly string[];
}

/** Loopback, and link-local addresses such as the metadata service at 169.254.169.254: through a proxy they would be the proxy's own. */
const NEVER = ['localhost', '127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10', '0.0.0.0', '::'];

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/** The choice for each URL. A request to the host itself never takes a proxy. */
export function proxyChoice({ https, http, except }: ProxySettings): ProxyFor {
  const isDirect = [...NEVER, ...except].map(exception);
  return (url) => {
    const proxy = url.protocol === 'https:' ? https : http;
    if (proxy === null) return null;
    const host = withoutBrackets(url.hostname).replace(/\.$/, '');
    const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port;
    return isDirect.some((matches) => matches(host, port)) ? null : proxy;
  };
}

/** `http://proxy:3128`, without the credentials that its URL may hold. */
export function proxyName({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

/** One entry as a test. A name stands for its subdomains too; a network only for addresses, since no name is looked up. */
function exception(entry: string): (host: string, port: string) => boolean {
  if (entry === '*') return () => true;
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
  const name = (bracketed ?? plain ?? '').replace(/^\*?\./, '').replace(/\.$/, '');
  const fits = addressTest(name) ?? ((host: string) => host === name || host.endsWith(`.${name}`));
  return (host, ofUrl) => name !== '' && (port === undefined || port === ofUrl) && fits(host);
}

/** `null` when the entry is a name. */
function addressTest(entry: string): ((host: string) => boolean) | null {
  const [address = '', prefix] = entry.split('/');
  const version = isIP(address);
  if (version === 0) return null;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const longest = version === 4 ? 32 : 128;
  const bits = prefix === undefined ? longest : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > longest) return () => false;
  const network = new BlockList();
  network.addSubnet(address, bits, family);
  return (host) => isIP(host) !== 0 && network.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
