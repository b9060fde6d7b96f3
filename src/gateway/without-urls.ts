/** Text of a message as it may be kept: links of SMN hold tokens, those of others may, so none of them reaches a log. */

/** Also as JSON writes them, with `\/`. No scheme is longer, and a bound keeps the time short. */
const URLS = /[a-z][a-z0-9+.-]{0,20}:(?:\\?\/){2}\S*/gi;
/** What a link asks with, where it came without its beginning. */
const QUERIES = /\?[\w.-]+=\S*|\btoken=\S+/gi;

export function withoutUrls(text: string): string {
  return text.replace(URLS, '<url>').replace(QUERIES, '<cut>');
}

export function holdsUrl(text: string): boolean {
  return withoutUrls(text) !== text;
}
