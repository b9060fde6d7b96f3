/**
 * Finds words and phrases that are not plain English in comments, messages, prose and names, and exits with 1 if there
 * are any. `plain-english.json` lists them with what to write instead, and the names that stay because recorded
 * histories or clients have them.
 *
 *   npm run lint:words                 every place
 *   npm run lint:words -- src/client   the places under a path
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { piecesOf, plainComment, wordsOfIdentifier } from './source-text.mjs';

const FILES = [
  /^(?:src|test|bench|scripts|examples)\/.*\.m?[jt]s$/,
  /^(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/,
  /^(?:docs|examples|deploy|runbooks)\/.*\.(?:md|ya?ml)$/,
  /^test\/.*\/runbooks\/.*\.ya?ml$/,
];
const LEFT_OUT = /\/(?:fixtures|histories)\//;

/** Each word as patterns for the kinds of text that it is sought in. */
const { words, persisted } = JSON.parse(readFileSync(new URL('plain-english.json', import.meta.url), 'utf8'));
const rules = Object.entries(words).map(([word, entry]) => {
  const {
    pattern = word,
    only = null,
    write,
    caseSensitive = false,
  } = typeof entry === 'string' ? { write: entry } : entry;
  const bounded = only === 'prose' ? pattern : `\\b(?:${pattern})\\b`;
  const kinds = only === 'identifier' ? ['identifier'] : ['prose', ...(only === 'prose' ? [] : ['identifier'])];
  return { word, write, kinds, pattern: new RegExp(bounded, caseSensitive ? 'g' : 'gi') };
});

/** What people read in a file, its name included, with the place where each text begins. */
function textsOf(path) {
  const source = readFileSync(path, 'utf8');
  const fileName = basename(path, extname(path));
  const name = { kind: 'identifier', text: persisted.includes(fileName) ? '' : wordsOfIdentifier(fileName), index: 0 };
  if (!/\.m?[jt]s$/.test(path)) return { source, texts: [name, ...paragraphs(source)] };
  const texts = piecesOf(source).map(({ kind, text, index }) => {
    if (kind === 'comment') return { kind: 'prose', text: plainComment(text), index };
    if (persisted.includes(text)) return { kind: 'identifier', text: '', index };
    const isProse = kind === 'string' && /\s/.test(text.trim());
    return isProse ? { kind: 'prose', text, index } : { kind: 'identifier', text: wordsOfIdentifier(text), index };
  });
  return { source, texts: [name, ...texts] };
}

/** Paragraphs on one line each, so that a phrase is found across a line break. */
function* paragraphs(source) {
  for (const { 0: text, index } of source.matchAll(/(?:[^\n]*\S[^\n]*\n?)+/g)) {
    yield { kind: 'prose', text: text.replaceAll(/\n\s*(?:#|\/\/)?\s*/g, ' '), index };
  }
}

function* findings(path) {
  const { source, texts } = textsOf(path);
  for (const { kind, text, index } of texts) {
    for (const { word, write, pattern, kinds } of rules) {
      if (!kinds.includes(kind)) continue;
      for (const { 0: found } of text.matchAll(pattern)) {
        const line = source.slice(0, index).split('\n').length;
        yield { path, line, word, write, found: found.trim(), text };
      }
    }
  }
}

function show({ path, line, found, write, text }) {
  const at = Math.max(0, text.indexOf(found) - 50);
  console.error(`${path}:${line}  "${found}" → ${write}   … ${text.slice(at, at + 130)}`);
}

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
const paths = [...new Set(listed.split('\n'))]
  .filter((path) => FILES.some((pattern) => pattern.test(path)) && !LEFT_OUT.test(path) && existsSync(path))
  .sort();
const [under = ''] = process.argv.slice(2);
const all = paths.filter((path) => path.startsWith(under)).flatMap((path) => [...findings(path)]);
all.forEach(show);
if (all.length > 0) process.exitCode = 1;
