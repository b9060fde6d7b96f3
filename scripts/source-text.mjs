/**
 * Splits source into the three kinds of text that people read: comments, string literals and identifiers. A scanner and
 * no parser: the compiler of this repository (TypeScript 7) offers no API to scripts.
 */

/** One alternative for each kind of token; what matches none is punctuation. */
const TOKEN =
  /(?<comment>\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*)|(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(?<word>[A-Za-z_$][\w$]*)|(?<number>\d[\w.]*)|(?<space>\s+)|(?<mark>[\s\S])/y;
/** After these a slash begins a regular expression and does not divide. */
const BEFORE_EXPRESSION = /^(?:[([{,;=:!&|?+\-*%~^<>}]|return|typeof|case|in|of|await|throw)?$/;
const REGULAR_EXPRESSION = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Text of a template up to its end or its next `${`. */
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

/** @typedef {{ kind: 'comment' | 'string' | 'identifier', text: string, index: number }} Piece */

/**
 * @param {string} source TypeScript or JavaScript
 * @returns {Piece[]} in order; `index` counts characters from the start of the source
 */
export function piecesOf(source) {
  const pieces = [];
  /** For each template that is open, how many braces are open inside its current `${`. */
  const templates = [];
  let at = 0;
  let previous = '';

  const match = (pattern) => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  const readTemplateText = () => {
    const [text] = match(TEMPLATE_TEXT);
    pieces.push({ kind: 'string', text, index: at });
    at += text.length;
    if (source.startsWith('${', at)) {
      templates.push(0);
      at += 2;
      previous = '{';
    } else {
      at += 1;
      previous = '`';
    }
  };

  while (at < source.length) {
    const expression = source[at] === '/' && BEFORE_EXPRESSION.test(previous) && match(REGULAR_EXPRESSION);
    if (expression && source[at + 1] !== '/' && source[at + 1] !== '*') {
      at += expression[0].length;
      previous = '/expression/';
      continue;
    }
    const { 0: text, groups } = match(TOKEN);
    const index = at;
    at += text.length;
    if (groups.space) continue;
    if (groups.comment) {
      pieces.push({ kind: 'comment', text, index });
      continue;
    }
    if (groups.string) pieces.push({ kind: 'string', text: text.slice(1, -1), index: index + 1 });
    if (groups.word) pieces.push({ kind: 'identifier', text, index });
    previous = text;
    if (text === '`') readTemplateText();
    else if (templates.length > 0 && text === '{') templates[templates.length - 1] += 1;
    else if (templates.length > 0 && text === '}') {
      if (templates.at(-1) > 0) templates[templates.length - 1] -= 1;
      else {
        templates.pop();
        readTemplateText();
      }
    }
  }
  return pieces;
}

/** The sentences of a comment: without its marks, on one line, so that a phrase is found across a line break. */
export function plainComment(text) {
  return text
    .replace(/^\/\*\*?|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\*|\/\/)\s?/, '').trim())
    .join(' ')
    .trim();
}

/** `takeWhileOpen` and `take-while-open` → `take while open`. */
export function wordsOfIdentifier(text) {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[^A-Za-z0-9]+/g, ' ')
    .trim();
}
