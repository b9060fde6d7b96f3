/** The two IAM calls that a ServiceStage client needs: a token for a password, and the user of an access key. */
import { z } from 'zod';
import type { Gatekeeper } from './credentials.js';

/** An answer of IAM. */
export interface IamAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const Login = z.object({
  auth: z.object({
    identity: z.object({
      methods: z.array(z.literal('password')),
      password: z.object({
        user: z.object({ name: z.string(), password: z.string(), domain: z.object({ name: z.string() }) }),
      }),
    }),
    scope: z.object({ project: z.object({ id: z.string() }) }).optional(),
  }),
});

/** Answers `POST /v3/auth/tokens`: 201 with the token in a header. */
export function tokenAnswer(gatekeeper: Gatekeeper, body: unknown): IamAnswer {
  const parsed = Login.safeParse(body);
  if (!parsed.success) return iamError(400, 'The request body is invalid', 'Bad Request');
  const { account } = gatekeeper;
  const { name, password, domain } = parsed.data.auth.identity.password.user;
  if (name !== account.user || password !== account.password || domain.name !== account.domain) {
    return iamError(401, 'The username or password is wrong.', 'Unauthorized');
  }
  const { token, expiresAtMs } = gatekeeper.issueToken();
  const user = { id: account.userId, name, domain: { id: 'domain-0001', name: account.domain } };
  // UTC with six fractional digits, as IAM prints it.
  const expiresAt = `${new Date(expiresAtMs).toISOString().slice(0, -1)}000Z`;
  return {
    status: 201,
    headers: { 'X-Subject-Token': token },
    body: { token: { expires_at: expiresAt, methods: ['password'], user, project: { id: account.projectId } } },
  };
}

/** Answers `GET /v3.0/OS-CREDENTIAL/credentials/{access_key}`. */
export function credentialAnswer(gatekeeper: Gatekeeper, accessKey: string): IamAnswer {
  const { account, accessKeys } = gatekeeper;
  if (accessKeys.find(accessKey) === undefined) return iamError(404, 'Could not find credential.', 'Not Found');
  return {
    status: 200,
    body: { credential: { access: accessKey, user_id: account.userId, status: 'active', description: '' } },
  };
}

function iamError(code: number, message: string, title: string): IamAnswer {
  return { status: code, body: { error: { code, message, title } } };
}
