/** The gateway's own GETs, to addresses that others sent: one address, no redirect, little time, a small answer. */
import { got } from 'got';

/** SMN gives us 5 s for its whole delivery. Source: FAQ of SMN, smn_faq_0014, 2025. */
const TIMEOUT_MS = 5_000;

/** What a 200 brings. @throws Error in words, without the address: it may hold a token */
export async function getText(url: URL, mostBytes: number): Promise<string> {
  const { status, text } = await getAnswer(url, mostBytes);
  if (status !== 200) throw new Error(`${url.hostname}: answered ${status}`);
  return text;
}

/** Whatever is answered. @throws Error in words, without the address, when nothing is */
export async function getAnswer(
  url: URL,
  mostBytes: number,
): Promise<{ readonly status: number; readonly text: string }> {
  const tooLarge = new AbortController();
  const answer = got(url, {
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    timeout: { request: TIMEOUT_MS },
    headers: { 'user-agent': 'servicestage-runbooks' },
    signal: tooLarge.signal,
  });
  void answer.on('downloadProgress', ({ transferred }) => {
    if (transferred > mostBytes) tooLarge.abort();
  });
  const { statusCode, body } = await answer.catch((error: unknown) => {
    // The message of the client's own error may hold the address.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Error(
      `${url.hostname}: ${tooLarge.signal.aborted ? `more than ${mostBytes} bytes` : `no answer (${code})`}`,
    );
  });
  return { status: statusCode, text: body };
}
