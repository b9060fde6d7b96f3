/** Which proxy a request goes through, by the rules that curl, Go and others share. Pure: the variables are read in `config/proxies.ts`. */
import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isHostName, withoutBrackets } from './host-and-port.js';

/** The proxy for a URL, or `null` for a direct connection. */
export type ProxyFor = (url: URL) => URL | null;

/** The choice where no proxy is configured: every connection is direct. */
export const noProxies: ProxyFor = () => null;

/** Channel arguments of a gRPC client that asks no proxy of the environment: grpc-js does by itself, for loopback too. */
export const GRPC_WITHOUT_PROXY = { 'grpc.enable_http_proxy': 0 } as const;

/** The proxies, and what is reached without them. */
export interface ProxySettings {
  /** For `https:` URLs. */
  readonly https: URL | null;
  /** For `http:` URLs. */
  readonly http: URL | null;
  /** Entries of `NO_PROXY`: hosts, domains, addresses, networks such as `10.0.0.0/8`, each with an optional port, or `*`. Others match nothing. */
  readonly except: readonly string[];
}

/** Loopback, and link-local addresses such as the metadata service at 169.254.169.254: through a proxy they would be the proxy's own. */
const NEVER = ['localhost', '127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10', '0.0.0.0', '::'];

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/** The choice for each URL. A request to the host itself never takes a proxy. */
export function proxyChoice({ https, http, except }: ProxySettings): ProxyFor {
  const isDirect = [...NEVER, ...except].map(exception).filter((matches) => matches !== null);
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

/** Whether an entry of `NO_PROXY` can be understood. */
export function isException(entry: string): boolean {
  return exception(entry) !== null;
}

type Matches = (host: string, port: string) => boolean;

/**
 * One entry as a test; `null` for what cannot be understood. A name includes its subdomains, and `*example.com` for whatever ends so;
 * a network only for addresses, since no name is looked up. In a URL only host and port count, and a slash at the end is ignored.
 */
function exception(entry: string): Matches | null {
  const [, scheme, rest = ''] = /^([a-z][a-z\d+.-]*:\/\/)?(.*)$/.exec(entry.toLowerCase()) ?? [];
  const text = rest.replace(scheme === undefined ? /\/+$/ : /\/.*$/, '');
  const [, bracketed, prefix = '', plain = '', port] =
    /^(?:\[([^\]]*)\](\/\d+)?|([^:]*|[^:]*:.*:.*?))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = bracketed === undefined ? plain : `${bracketed}${prefix}`;
  const fits = name === '*' ? () => true : (addressTest(name) ?? (bracketed === undefined ? nameTest(name) : null));
  if (fits === null || (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))) return null;
  return (host, ofUrl) => (port === undefined || Number(port) === Number(ofUrl)) && fits(host);
}

/** The test for an address or a network; `null` if the entry is neither. */
function addressTest(entry: string): ((host: string) => boolean) | null {
  const [, address = '', prefix] = /^([\d.]+|[\da-f:.]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return null;
  const longest = version === 4 ? 32 : 128;
  const bits = Number(prefix ?? longest);
  if (bits > longest) return null;
  const network = new BlockList();
  network.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  return (host) => isIP(host) !== 0 && network.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/** The test for a name, as URLs spell it: `bücher.example` has another form there. `null` if the entry is not a name. */
function nameTest(entry: string): ((host: string) => boolean) | null {
  // Node would read a name up to the first of these, and decode the last.
  const [, star = '', dot = '', rest = ''] = /^(\*?)(\.?)([^/?#@:\\%]*)$/.exec(entry) ?? [];
  const name = domainToASCII(rest).replace(/\.$/, '');
  if (!isHostName(name) || isIP(name) !== 0) return null;
  return star !== '' && dot === ''
    ? (host) => host.endsWith(name)
    : (host) => host === name || host.endsWith(`.${name}`);
}
