/** Huawei's own transport and signer, loaded from this folder's own packages: the product does not depend on them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

interface HuaweiRequest {
  readonly method: 'GET' | 'POST';
  /** With `{placeholders}`; `{project_id}` is filled from the credentials. */
  readonly url: string;
  readonly pathParams?: Readonly<Record<string, string>>;
  readonly queryParams?: Readonly<Record<string, string | number>>;
  readonly data?: object;
}

export interface HuaweiClient {
  /**
   * Resolves with the body and `httpStatusCode`; rejects with `httpStatusCode`, `errorCode`, `errorMsg`, `requestId`.
   */
  send(request: HuaweiRequest): Promise<Record<string, unknown>>;
}

/** The inputs of `AKSKSigner.sign`: the body as the object that it writes itself, the query apart from the URL. */
export interface HuaweiSigning {
  readonly method: string;
  readonly endpoint: string;
  readonly queryParams: Record<string, string | string[]>;
  readonly headers: Record<string, string>;
  readonly data?: object | undefined;
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Installs what the lock file names, when it is not there yet. */
export function installHuaweiPackages(): void {
  if (existsSync(`${FOLDER}node_modules/@huaweicloud/huaweicloud-sdk-core`)) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER, stdio: 'inherit' });
}

const SDK = '@huaweicloud/huaweicloud-sdk-core';

interface ClientModule {
  ClientBuilder: new (init: (client: unknown) => unknown) => {
    withCredential(credential: unknown): { withEndpoint(url: string): { build(): Sender } };
  };
}

interface Sender {
  sendRequest(options: object): Promise<Record<string, unknown>>;
}

interface CredentialsModule {
  BasicCredentials: new (of: object) => { withSecurityToken(token: string): unknown };
}

interface SignerModule {
  AKSKSigner: { sign(request: HuaweiSigning, credential: object): Record<string, string> };
}

export function huaweiClient(
  url: string,
  key: { accessKey: string; secretKey: string; projectId: string },
): HuaweiClient {
  const load = createRequire(import.meta.url);
  const { ClientBuilder } = load(`${SDK}/ClientBuilder.js`) as ClientModule;
  const { BasicCredentials } = load(`${SDK}/auth/BasicCredentials.js`) as CredentialsModule;
  // Its logger prints every failed request, and is configured when the module is loaded.
  (load('log4js') as { configure(settings: object): void }).configure({
    appenders: { nowhere: { type: 'recording' } },
    categories: { default: { appenders: ['nowhere'], level: 'off' } },
  });
  const { accessKey: ak, secretKey: sk, projectId } = key;
  const sender = new ClientBuilder((client) => client)
    .withCredential(new BasicCredentials({ ak, sk, projectId }))
    .withEndpoint(url)
    .build();
  return {
    send: ({ pathParams = {}, queryParams = {}, ...request }) =>
      sender.sendRequest({ contentType: 'application/json', headers: {}, pathParams, queryParams, ...request }),
  };
}

/** The `Authorization` header that Huawei's signer computes. */
export function huaweiAuthorization(request: HuaweiSigning, accessKey: string, secretKey: string): string {
  const { AKSKSigner } = createRequire(import.meta.url)(`${SDK}/auth/AKSKSigner.js`) as SignerModule;
  const signed = AKSKSigner.sign(request, { getAk: () => accessKey, getSk: () => secretKey });
  return signed['Authorization'] ?? '';
}
