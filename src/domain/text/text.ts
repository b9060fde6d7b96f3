/** Makes foreign text safe to print, and cuts text to a length in bytes. */

/** U+200D joins emoji into one (a family, a profession); it is harmless only there. */
const JOINS_EMOJI = String.raw`(?<=\p{Extended_Pictographic}[\u{1f3fb}-\u{1f3ff}\ufe0f]{0,2})\u200d(?=\p{Extended_Pictographic})`;
/**
 * Characters that control a terminal (C0, C1, DEL), reorder or break lines (direction marks, line separators) or are
 * invisible (zero-width characters, fillers, tags), and halves of surrogate pairs. The two variation selectors that
 * are kept choose between text and emoji.
 */
const INVISIBLE = new RegExp(
  String.raw`(?!${JOINS_EMOJI}|[\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`,
  'gu',
);

/** Puts text on one line and escapes what `hasControlCharacters` finds, such as `\u001b` or `\u{e0041}`. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff_ff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Like `printable`, but keeps line breaks and tabs. Foreign text within a line must be made printable first. */
export function printableLines(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, index) => (index % 2 === 0 ? printable(part) : part.replace('\r', '')))
    .join('');
}

/** True if the text contains a character that controls a terminal, breaks or reorders the line, or is invisible. */
export function hasControlCharacters(text: string): boolean {
  return text.search(INVISIBLE) >= 0;
}

/** Everything that controls a terminal except line breaks, which in JSON occur only between values. */
const OBEYED_IN_JSON = new RegExp(String.raw`[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]`, 'gu');

/** Escapes control characters in JSON without changing its value: JSON itself escapes only the first 32. */
export function printableJson(json: string): string {
  return json.replace(OBEYED_IN_JSON, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Bytes of a text in UTF-8. Half a surrogate pair counts as the replacement character that is sent for it. */
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
 * Returns the text if it has at most `maxBytes` bytes in UTF-8, else its start in whole characters and the mark ` …
 * (N bytes)` with the original length. The result never exceeds `maxBytes`; if there is no room for the mark, it is
 * left out.
 */
export function clipText(text: string, maxBytes: number): string {
  // No character has more than three bytes per UTF-16 unit.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = utf8Bytes(text);
  if (bytes <= maxBytes) return text;
  const mark = ` … (${bytes} bytes)`;
  const markBytes = utf8Bytes(mark);
  return markBytes > maxBytes ? beginning(text, maxBytes) : `${beginning(text, maxBytes - markBytes)}${mark}`;
}

/**
 * Joins lines into a text of at most `maxBytes` bytes in UTF-8. Lines that do not fit are left out, and the last
 * line gives their number.
 */
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
