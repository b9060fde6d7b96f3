/** Text that others wrote: how it is shown without acting on a terminal, and how it is cut to a length in bytes. */

/** U+200D joins emoji to one (a family, a profession): it is harmless there and nowhere else. */
const JOINS_EMOJI = String.raw`(?<=\p{Extended_Pictographic}[\u{1f3fb}-\u{1f3ff}\ufe0f]{0,2})\u200d(?=\p{Extended_Pictographic})`;
/**
 * What a terminal obeys (C0, C1, DEL), what reorders or breaks lines (direction marks, line separators), what is invisible (zero-width
 * characters, fillers, tags), and halves of surrogate pairs. The two variation selectors kept choose between text and emoji.
 */
const INVISIBLE = new RegExp(
  String.raw`(?!${JOINS_EMOJI}|[\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`,
  'gu',
);

/** Any text on one line, with everything in it visible: what `hasControlCharacters` finds becomes an escape such as `\u001b` or `\u{e0041}`. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff_ff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** As `printable`, for text of several lines: lines stay lines, tabs stay tabs. What others wrote within a line is made printable before. */
export function printableLines(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, index) => (index % 2 === 0 ? printable(part) : part.replace('\r', '')))
    .join('');
}

/** Does the text hold a character that acts on a terminal, moves or breaks the line, or cannot be seen? */
export function hasControlCharacters(text: string): boolean {
  return text.search(INVISIBLE) >= 0;
}

/** All that a terminal obeys but the ends of lines, which in JSON stand between values only. */
const OBEYED_IN_JSON = new RegExp(String.raw`[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]`, 'gu');

/** JSON of the same value in which a terminal obeys nothing: JSON itself escapes the first 32 characters only. */
export function printableJson(json: string): string {
  return json.replace(OBEYED_IN_JSON, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Bytes of a text in UTF-8; half a surrogate pair counts as the replacement character it is sent as. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Half of a pair has three bytes alone, and a pair four in all.
    if (unit >= 0x8_00) bytes += isPairAt(text, at, unit) ? (at++, 2) : 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}

function isPairAt(text: string, at: number, unit: number): boolean {
  return unit >= 0xd8_00 && unit <= 0xdb_ff && (text.codePointAt(at) ?? 0) > 0xff_ff;
}

/**
 * The text if it has at most `maxBytes` bytes in UTF-8, else its beginning, of whole characters, and the mark ` … (N bytes)` with the length
 * it had. The result never has more than `maxBytes` bytes; a limit that leaves no room for the mark leaves it out.
 */
export function clipText(text: string, maxBytes: number): string {
  // No character has more than three bytes for each UTF-16 unit.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = utf8Bytes(text);
  if (bytes <= maxBytes) return text;
  const mark = ` … (${bytes} bytes)`;
  const markBytes = utf8Bytes(mark);
  return markBytes > maxBytes ? beginning(text, maxBytes) : `${beginning(text, maxBytes - markBytes)}${mark}`;
}

/** The lines as one text of at most `maxBytes` bytes in UTF-8: those that do not fit are left out, and the last line counts them. */
export function linesThatFit(lines: readonly string[], maxBytes: number): string {
  const all = lines.join('\n');
  if (utf8Bytes(all) <= maxBytes) return all;
  let bytes = utf8Bytes(moreLines(lines.length));
  const cutAt = lines.findIndex((line) => (bytes += utf8Bytes(line) + 1) > maxBytes);
  return [...lines.slice(0, cutAt), moreLines(lines.length - cutAt)].join('\n');
}

function moreLines(count: number): string {
  return `\n… and ${count} more lines`;
}

function beginning(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  while (end < text.length) {
    const code = text.codePointAt(end) ?? 0;
    bytes += bytesOf(code);
    if (bytes > maxBytes) break;
    end += code > 0xff_ff ? 2 : 1;
  }
  return text.slice(0, end);
}

function bytesOf(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x8_00) return 2;
  return code > 0xff_ff ? 4 : 3;
}
