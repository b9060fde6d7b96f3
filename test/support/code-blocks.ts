/** Fenced code of a document, so that what it shows can be compiled, run or searched. */

/** The blocks of a language, in order. */
export function codeBlocksOf(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
}
