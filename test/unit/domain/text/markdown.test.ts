import { describe, expect, it } from 'vitest';
import { clippedSummary, jsonBytes } from '../../../../src/domain/text/json-bytes.js';
import { markdownCell, markdownText } from '../../../../src/domain/text/markdown.js';

describe('text in Markdown', () => {
  it.each([
    'recover on shop/checkout/prod-1',
    'RUNNING 2/2, version 1.4.1',
    'my_app/für alle/プロ-1',
    'scale replica=4',
  ])('%j stays unchanged', (text) => {
    expect(markdownText(text)).toBe(text);
    expect(markdownCell(text)).toBe(text);
  });

  it.each([
    ['[click](https://evil.example)', '`[click](https://evil.example)`'],
    ['**SUCCEEDED**', '`**SUCCEEDED**`'],
    ['http://evil.example', '`http://evil.example`'],
    ['www.evil.example', '`www.evil.example`'],
    ['a`b``c', "`a'b''c`"],
    ['a\n| b |', '`a\\u000a| b |`'],
    ['<img src=x>', '`<img src=x>`'],
    ['_a_', '`_a_`'],
  ])('%j is code', (text, shown) => expect(markdownText(text)).toBe(shown));

  it('does not end a table cell', () => {
    expect(markdownCell('a | b')).toBe('`a \\| b`');
  });

  it('stays within the bytes of a summary', () => {
    for (const character of ['x', '*', '\u001b', '𝒳', '`'])
      expect(jsonBytes(clippedSummary(character.repeat(500)))).toBeLessThanOrEqual(202);
  });
});
