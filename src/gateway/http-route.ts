/** What a request asks for, by its path and method. Spellings that RFC 3986 and proxies treat the same are one path: `/alarms/prod/`, `//alarms/prod`, `/alarms/pr%6Fd`. */

const PAGES = ['healthz', 'readyz', 'metrics'] as const;
/** Its name in the path. */
type Page = (typeof PAGES)[number];

/** What a request asks for, or why it is rejected. */
export type Route =
  | { readonly kind: 'alarms'; readonly sender: string }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'wrongMethod'; readonly allow: string; readonly message: string }
  | { readonly kind: 'notFound'; readonly message: string };

const NOT_FOUND: Route = {
  kind: 'notFound',
  message: `There is no such path. Alarms are sent with POST to /alarms/<sender>, where <sender> is a name from the alarms file. Also here: ${PAGES.map((page) => `/${page}`).join(', ')}`,
};

/** @param target of the request line: a path, or a whole URL as clients send to a proxy (RFC 9112, 3.2) */
export function routeOf(method: string, target: string): Route {
  const segments = segmentsOf(target);
  const [first, second, ...more] = segments ?? [];
  if (first === 'alarms' && second !== undefined && more.length === 0) {
    if (method === 'POST') return { kind: 'alarms', sender: second };
    return { kind: 'wrongMethod', allow: 'POST', message: 'Alarms are sent here with POST' };
  }
  const page = PAGES.find((each) => each === first);
  if (page === undefined || second !== undefined) return NOT_FOUND;
  if (method === 'GET' || method === 'HEAD') return { kind: 'page', page };
  return { kind: 'wrongMethod', allow: 'GET, HEAD', message: 'This is read with GET' };
}

function segmentsOf(target: string): string[] | null {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '';
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    return null;
  }
}

const LONGEST_SHOWN = 32;
const MOST_SHOWN = 6;

/** A path for the log. A segment that does not look like a name may be a token, so only its length is shown. */
export function shownPath(target: string): string {
  const segments = segmentsOf(target);
  if (segments === null) return '<not a path>';
  const shown = segments.slice(0, MOST_SHOWN).map(shownName);
  return `/${shown.join('/')}${segments.length > MOST_SHOWN ? '/…' : ''}`;
}

/** A name from an unauthenticated request, for the log. */
export function shownName(name: string): string {
  return /^[\w.-]+$/.test(name) && name.length <= LONGEST_SHOWN ? name : `<${name.length} characters>`;
}
