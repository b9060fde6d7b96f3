/** The files that the workers of a soak read their secrets from, and what is put into them while they run. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningSimulator } from '../../../src/simulator/server.js';
import { controlOf } from '../../support/simulator.js';

/** The webhook that runs of a soak notify, and the variable with its secret. */
const WEBHOOK_SECRET = 'RUNBOOK_NOTIFY_SOAK_SECRET';

export class SecretFiles {
  /** Every secret that was ever in one of the files, and those that came with the simulator. None may show up anywhere. */
  readonly secrets: string[] = [];
  readonly encryptionKeys = [newEncryptionKey('key-1')];
  readonly webhookSecrets = [newWebhookSecret()];
  #simulator: RunningSimulator | null = null;
  #keyFolders = 0;

  private constructor(
    readonly folder: string,
    private readonly firstKeySeconds: number,
  ) {
    this.secrets.push(...this.encryptionKeys.map(secretOfKey), ...this.webhookSecrets);
  }

  /** @param firstKeySeconds how long the first access key is valid */
  static async open(firstKeySeconds: number): Promise<SecretFiles> {
    const files = new SecretFiles(await mkdtemp(join(tmpdir(), 'runbooks-secrets-')), firstKeySeconds);
    await files.#write('encryption-keys', files.encryptionKeys.join('\n'));
    await files.#write('webhook', files.webhookSecrets[0] ?? '');
    return files;
  }

  get encryptionKeysFile(): string {
    return join(this.folder, 'encryption-keys');
  }

  /** Writes the first credentials. @returns variables of a worker that has a temporary access key, or a password */
  async env(worker: number, simulator: RunningSimulator): Promise<Record<string, string>> {
    if (this.#simulator === null) {
      this.#simulator = simulator;
      this.secrets.push(simulator.secretKey, simulator.iamPassword, simulator.token);
      await this.#write('password', simulator.iamPassword);
      await controlOf(simulator).switches({ agencyKeyLifetimeSeconds: this.firstKeySeconds });
      await this.replaceAccessKey();
    }
    const file = (name: string) => join(this.folder, name);
    const none = { HUAWEICLOUD_SDK_AK: '', HUAWEICLOUD_SDK_SK: '', RUNBOOK_NOTIFY_STORM_SECRET: '' };
    const credentials =
      worker % 2 === 0
        ? {
            HUAWEICLOUD_SDK_AK_FILE: file('key/ak'),
            HUAWEICLOUD_SDK_SK_FILE: file('key/sk'),
            HUAWEICLOUD_SDK_SECURITY_TOKEN_FILE: file('key/token'),
            SERVICESTAGE_USER_ID: simulator.userId,
            SERVICESTAGE_IAM_USER: '',
            SERVICESTAGE_IAM_PASSWORD: '',
            SERVICESTAGE_IAM_DOMAIN: '',
          }
        : { SERVICESTAGE_IAM_PASSWORD: '', SERVICESTAGE_IAM_PASSWORD_FILE: file('password') };
    return { ...none, ...credentials, [`${WEBHOOK_SECRET}_FILE`]: file('webhook') };
  }

  /** As Kubernetes swaps a Secret: the files are in a folder behind a link. The key of before is valid until it expires. */
  async replaceAccessKey(): Promise<void> {
    const answer = await fetch(`${this.#simulator?.url}/openstack/latest/securitykey`);
    const { credential } = (await answer.json()) as {
      credential: Record<'access' | 'secret' | 'securitytoken', string>;
    };
    const name = `key-${this.#keyFolders++}`;
    await mkdir(join(this.folder, name));
    await this.#write(`${name}/ak`, credential.access);
    await this.#write(`${name}/sk`, credential.secret);
    await this.#write(`${name}/token`, credential.securitytoken);
    this.secrets.push(credential.secret, credential.securitytoken);
    await symlink(name, join(this.folder, 'next'));
    await rename(join(this.folder, 'next'), join(this.folder, 'key'));
  }

  /** Step 1 of docs/encryption.md, "Rotate a key": every process can decrypt with the new key. */
  async appendEncryptionKey(): Promise<void> {
    const key = newEncryptionKey('key-2');
    this.secrets.push(secretOfKey(key));
    this.encryptionKeys.push(key);
    await this.#write('encryption-keys', this.encryptionKeys.join('\n'));
  }

  /** Step 2: and encrypts with it. */
  async encryptWithNewKey(): Promise<void> {
    await this.#write('encryption-keys', this.encryptionKeys.toReversed().join('\n'));
  }

  /** The receiver takes both until `retireWebhookSecret`. */
  async replaceWebhookSecret(): Promise<void> {
    const secret = newWebhookSecret();
    this.secrets.push(secret);
    this.webhookSecrets.push(secret);
    await this.#write('webhook', secret);
  }

  retireWebhookSecret(): void {
    this.webhookSecrets.shift();
  }

  async notificationsFile(origin: string): Promise<string> {
    const path = join(this.folder, 'notifications.yaml');
    await writeFile(
      path,
      `webhooks:
  soak:
    kind: webhook
    url: ${origin}/hook
    allowHttp: true
    secretEnvs: [${WEBHOOK_SECRET}]
    on: [waiting]
`,
    );
    return path;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A process reads the old content or the new one, never half of it. */
  async #write(name: string, content: string): Promise<void> {
    const path = join(this.folder, name);
    await writeFile(`${path}.new`, `${content}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

function newEncryptionKey(id: string): string {
  return `${id} ${randomBytes(32).toString('base64')}`;
}

function secretOfKey(line: string): string {
  return line.split(' ')[1] ?? '';
}

function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
