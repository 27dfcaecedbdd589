import { describe, expect, it } from 'vitest';
import type { PageLink } from '../../../../src/parse/pdf/layout/link-areas.ts';
import type { PageBlock, TextBlock } from '../../../../src/parse/pdf/layout/page-blocks.ts';
import { createAddresses, linkedText, withLinks } from '../../../../src/parse/pdf/layout/page-links.ts';

const target = 'https://a.example/';
const look = { page: 1, lineCount: 1, size: 11, bold: false, italic: false, mono: false, left: 0, top: 0, bottom: 0, open: false };
const textBlock = (text: string): TextBlock => ({ kind: 'text', text, ...look });
const link = (text: string, before = '', after = ''): PageLink => ({ text, before, after, target });

function markdownOf(blocks: readonly PageBlock[], ...links: PageLink[]): string[] {
  const linked = withLinks(blocks, links, { addresses: createAddresses(), checkTime() {} });
  return linked.map((block) => (block.kind === 'text' ? linkedText(block.text, block.links) : block.kind));
}

describe('A link of a page', () => {
  it('is at none of several texts that are alike, as only one of them leads there', () => {
    const rows = ['Download PDF', 'Download PDF'];

    expect(markdownOf(rows.map(textBlock), link('PDF', 'Download '))).toEqual(rows);
  });

  it('is at each of several texts that are alike where all lead somewhere', () => {
    const rows = ['Download PDF', 'Download PDF'].map(textBlock);
    const linked = `Download [PDF](${target})`;

    expect(markdownOf(rows, link('PDF', 'Download '), link('PDF', 'Download '))).toEqual([linked, linked]);
  });

  it('of code is not at the same word of a text', () => {
    const blocks: PageBlock[] = [{ kind: 'code', text: 'setup\nrun', page: 1 }, textBlock('Start setup first.')];

    expect(markdownOf(blocks, link('setup'))).toEqual(['code', 'Start setup first.']);
  });

  it('is at the only text that what stands beside it leaves', () => {
    const texts = ['Nowhere else than here', 'Order forms are here'];

    expect(markdownOf(texts.map(textBlock), link('here', 'Order forms are '))).toEqual([
      texts[0],
      `Order forms are [here](${target})`,
    ]);
  });
});

describe('The addresses of a document', () => {
  it('are written as often as they are found, but long ones only while they add little to it', () => {
    const addresses = createAddresses();
    const times = (address: string) =>
      Array.from({ length: 2000 }, () => addresses(address)).filter((each) => each === address).length;

    expect(times(target)).toBe(2000);
    expect(times(`${target}${'x'.repeat(1900)}`)).toBeLessThan(1000);
  });
});
