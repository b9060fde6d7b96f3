/**
 * Removes our credentials from foreign text. Gateways echo requests, plain or encoded, and such text goes into
 * histories.
 */

const HIDDEN = '***';
/** Shorter pieces of base64 would match by chance. */
const SHORTEST_BASE64 = 8;
const BASE64 = new RegExp(`[A-Za-z0-9+/_=-]{${SHORTEST_BASE64},}`, 'g');

/**
 * Replaces each secret, whether plain or encoded as JSON, HTML, URL, hexadecimal or base64; base64 is also found
 * inside a longer text.
 */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const kept = secrets.filter((secret) => secret !== '');
  const shown = kept.flatMap(writtenForms).reduce((hidden, form) => hidden.replaceAll(form, HIDDEN), text);
  return hideBase64(shown, kept.flatMap(base64Forms));
}

function writtenForms(secret: string): string[] {
  const url = encodeURIComponent(Buffer.from(secret).toString());
  const hexadecimal = Buffer.from(secret).toString('hex');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    url,
    url.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    hexadecimal,
    hexadecimal.toUpperCase(),
  ];
}

/**
 * Base64 encodes three bytes as four characters, so a secret has three forms, depending on its offset. The
 * characters at its edges depend on the surrounding text and are left out.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((skipped) => {
    const whole = bytes.subarray(skipped, skipped + Math.floor((bytes.length - skipped) / 3) * 3);
    if (whole.length * 4 < SHORTEST_BASE64 * 3) return [];
    return [whole.toString('base64'), whole.toString('base64url')];
  });
}

/** Removes the whole base64 text around a match, because its edges contain the rest of the secret. */
function hideBase64(text: string, forms: readonly string[]): string {
  return text.replace(BASE64, (run) => (forms.some((form) => run.includes(form)) ? HIDDEN : run));
}
