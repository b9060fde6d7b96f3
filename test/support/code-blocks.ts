/** Reads fenced code from documents, so that tests can compile, run or search it. */

/** The code blocks of a language, in order. */
export function codeBlocksOf(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
}
