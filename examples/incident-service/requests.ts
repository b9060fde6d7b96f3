/** What callers may send. A wrong request gets every problem at once, and starts nothing. */
import { z } from 'zod';

export class WrongRequest extends Error {
  override readonly name = 'WrongRequest';

  constructor(readonly problems: readonly string[]) {
    super('The request cannot be carried out; nothing was started');
  }
}

const Recovery = z.strictObject({
  target: z.string().regex(/^[^/]+\/[^/]+\/[^/]+$/, 'write application/component/instance'),
  version: z.string().min(1).optional(),
  reason: z.string().min(1).max(1_000).optional(),
});
export type Recovery = z.infer<typeof Recovery>;

/** @throws WrongRequest */
export function readKey(key: string | undefined): string {
  if (key !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(key)) return key;
  throw new WrongRequest(['key: write 1 to 64 letters, digits, dots, dashes and underscores']);
}

/** @throws WrongRequest */
export async function readRecovery(request: Request): Promise<Recovery> {
  let body: unknown;
  try {
    body = await request.json();
  } catch {
    throw new WrongRequest(['body: it is not JSON; send {"target": "shop/checkout/prod-1"}']);
  }
  const parsed = Recovery.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new WrongRequest(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`));
}
