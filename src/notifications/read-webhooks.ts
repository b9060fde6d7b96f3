/** Reads a notifications file: returns the webhooks, or every problem with file, line and column. No problem shows an address or a secret. */
import { WEBHOOK_SECRET_PREFIX } from '../domain/notifications/delivery.js';
import type { Problem } from '../domain/failures.js';
import { NAME_REMEDY } from '../domain/runbook/names.js';
import { didYouMean } from '../domain/text/suggest.js';
import { isHostOfUrl } from '../network/host-and-port.js';
import { Secret } from '../servicestage/secret.js';
import { problemOfKind } from '../yaml/file-kind.js';
import { problemsOfIssues } from '../yaml/shape-problems.js';
import { readYamlFile, YamlDocument, type FileKind, type PathProblem } from '../yaml/yaml-document.js';
import type { Webhook } from './webhook.js';
import { NotificationsFile, WEBHOOK_KEYS, WEBHOOK_KINDS, type WebhookEntry } from './webhooks-file.js';

const NOTIFICATIONS_FILE: FileKind = {
  noun: 'notifications-file',
  begin: 'Begin with webhooks:',
  size: 'Name fewer webhooks',
};

/** The content of a notifications file. */
export interface NotificationsConfig {
  readonly webhooks: readonly Webhook[];
}

/** The variables with secrets, by name. */
type WebhookSecrets = ReadonlyMap<string, Secret>;

/**
 * Reads and checks a file.
 * @param secrets `null` to read no secret, on machines that have none; the webhooks then lead nowhere
 * @returns the webhooks, or all problems at once
 */
export async function readWebhooks(
  file: string,
  secrets: WebhookSecrets | null,
): Promise<NotificationsConfig | Problem[]> {
  const text = await readYamlFile(file, NOTIFICATIONS_FILE);
  if (typeof text !== 'string') return text;
  const document = YamlDocument.parse(text, file, NOTIFICATIONS_FILE);
  if (Array.isArray(document)) return document;
  const { raw } = document;
  const otherKind = problemOfKind(raw, 'notifications file');
  if (otherKind !== null) return document.placed([otherKind]);
  const parsed = NotificationsFile.safeParse(raw);
  const problems = parsed.success
    ? []
    : problemsOfIssues(parsed.error.issues, raw, NotificationsFile).map(withoutSecrets);
  // Every webhook of the right shape is checked further, even if others have another shape.
  const webhooks = wellShaped(raw).map(([name, entry]) => {
    const reading = new EntryReading(name, secrets);
    const webhook = reading.webhookOf(entry);
    problems.push(...reading.problems);
    return webhook;
  });
  return problems.length > 0 ? document.placed(problems) : { webhooks };
}

function wellShaped(raw: object): [string, WebhookEntry][] {
  const { webhooks } = raw as { webhooks?: unknown };
  if (typeof webhooks !== 'object' || webhooks === null || Array.isArray(webhooks)) return [];
  return Object.entries(webhooks).flatMap(([name, entry]) => {
    const parsed = NotificationsFile.shape.webhooks.valueType.safeParse(entry);
    return parsed.success ? [[name, parsed.data] as [string, WebhookEntry]] : [];
  });
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** Leads nowhere: for files that are only checked. */
const PLACEHOLDER_URL = 'https://webhook.invalid/';

/** One webhook of the file, with the problems found in it. */
class EntryReading {
  readonly problems: PathProblem[] = [];

  constructor(
    private readonly name: string,
    private readonly secrets: WebhookSecrets | null,
  ) {}

  webhookOf(entry: WebhookEntry): Webhook {
    const url = this.#urlOf(entry);
    return {
      name: this.name,
      kind: entry.kind,
      url,
      get host() {
        return new URL(url.reveal()).host;
      },
      secrets: this.#secretsOf(entry),
      on: entry.on,
    };
  }

  #problem(path: readonly (string | number)[], found: string, remedy: string): void {
    this.problems.push({ code: 'invalid-webhook', path: ['webhooks', this.name, ...path], found, remedy });
  }

  #urlOf(entry: WebhookEntry): Secret {
    const written = 'url' in entry ? entry.url : undefined;
    const { urlEnv, allowHttp } = entry;
    if ((written === undefined) === (urlEnv === undefined)) {
      const found = written === undefined ? 'it has no address' : 'it has two addresses';
      this.#problem([], found, 'Give one of the two: url, or urlEnv for an address that holds a secret');
    }
    const key = written === undefined ? 'urlEnv' : 'url';
    const given = written === undefined ? this.#urlIn(urlEnv) : new Secret(written);
    if (given === undefined) return new Secret(PLACEHOLDER_URL);
    const problem = addressProblem(given.reveal(), allowHttp);
    if (problem !== null) this.#problem([key], problem.found, problem.remedy);
    if (problem !== null) return new Secret(PLACEHOLDER_URL);
    return given.as((text) => (addressProblem(text, allowHttp) === null ? new URL(text).href : null));
  }

  #urlIn(variable: string | undefined): Secret | undefined {
    return variable === undefined ? undefined : this.#secretIn(['urlEnv'], variable);
  }

  #secretsOf(entry: WebhookEntry): Secret[] {
    if (entry.kind === 'webhook')
      return entry.secretEnvs.map((variable, index) => {
        const secret = this.#secretIn(['secretEnvs', index], variable);
        if (secret !== undefined && this.secrets !== null && !isSigningSecret(secret.reveal()))
          this.#problem(
            ['secretEnvs', index],
            `the variable ${variable} does not hold a secret of Standard Webhooks`,
            'Set it to whsec_ and 24 to 64 random bytes as base64: echo "whsec_$(openssl rand -base64 32)"',
          );
        return (secret ?? new Secret('')).as((text) => (isSigningSecret(text) ? text : null));
      });
    if (!('secretEnv' in entry) || entry.secretEnv === undefined) return [];
    return [this.#secretIn(['secretEnv'], entry.secretEnv) ?? new Secret('')];
  }

  /** `undefined` if it is not set, after the problem was added. */
  #secretIn(path: readonly (string | number)[], variable: string): Secret | undefined {
    if (this.secrets === null) return new Secret(PLACEHOLDER_URL);
    const secret = this.secrets.get(variable);
    if (secret === undefined)
      this.#problem(
        path,
        `the variable ${variable} is not set`,
        'Set it for every worker, and never write it into a file',
      );
    return secret;
  }
}

/** What is wrong with an address; `null`: nothing. */
function addressProblem(text: string, allowHttp: boolean): { readonly found: string; readonly remedy: string } | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !isHostOfUrl(url) || !['https:', 'http:'].includes(url.protocol))
    return { found: 'the address is not a URL', remedy: 'Copy it whole, with https:// at its beginning' };
  if (`${url.username}${url.password}${url.hash}` !== '')
    return { found: 'the address contains a user name, a password or a fragment', remedy: 'Remove it' };
  if (url.protocol === 'http:' && !(allowHttp && LOOPBACK.test(url.hostname)))
    return {
      found: 'the address uses http://',
      remedy: 'Use https. Only for this machine: http with allowHttp: true',
    };
  return null;
}

function isSigningSecret(text: string): boolean {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const { length } = Buffer.from(base64, 'base64');
  return length >= 24 && length <= 64;
}

/** Names of keys under which people write secrets into files. */
const LIKE_A_SECRET = /token|secret|passw|credential|key|url|address/i;

/** The messages of runbook files, adapted. A value in the wrong place may be a secret, so none is shown but a kind or an event. */
function withoutSecrets(problem: PathProblem): PathProblem {
  const { code, path } = problem;
  const key = String(path.at(-1));
  if (code === 'invalid-name') return { ...problem, remedy: NAME_REMEDY };
  if (path.length <= 2) return problem;
  if (code === 'unknown-key' && LIKE_A_SECRET.test(key) && !WEBHOOK_KEYS.includes(key))
    return {
      ...problem,
      remedy: `Remove it: secrets come from environment variables only. Put it into a variable that begins with ${WEBHOOK_SECRET_PREFIX}, and name that variable here. Then replace the secret, which is no longer secret.${didYouMean(key, WEBHOOK_KEYS)}`,
    };
  if (code === 'unknown-key' && key === 'url')
    return {
      ...problem,
      remedy: 'Remove it: this address is a secret. Put it into a variable, and name that with urlEnv',
    };
  if (key === 'kind') return { ...problem, remedy: `Use one of: ${WEBHOOK_KINDS.join(', ')}` };
  if (code === 'invalid-value' && path[2] !== 'on')
    return { ...problem, found: `the value of "${String(path[2])}" is not valid` };
  return problem;
}
