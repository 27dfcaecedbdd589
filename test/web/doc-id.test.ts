import { describe, expect, it } from 'vitest';
import { docIdCharactersMax, docIdProblem, proposeDocId } from '../../src/web/doc-id.ts';

describe('the doc_id proposed for a file', () => {
  it('is its name with the extension, so that two formats of one document stay two', () => {
    expect(proposeDocId('报告 2026.pdf')).toBe('报告 2026.pdf');
    expect(proposeDocId('plan.docx')).not.toBe(proposeDocId('plan.pdf'));
  });

  it('brings the folder along without slashes, and nothing that controls or turns text', () => {
    expect(proposeDocId('contracts/north\\lease.pdf')).toBe('contracts-north-lease.pdf');
    expect(proposeDocId('\u202Egpj.\u0000exe\n.txt')).toBe('gpj.exe.txt');
  });

  it('can always be sent', () => {
    for (const name of ['', '\u0000', '文'.repeat(400) + '.pdf', '🙂'.repeat(300), 'e\u0301'.repeat(200)]) {
      expect(docIdProblem(proposeDocId(name))).toBeNull();
    }
    expect(Array.from(proposeDocId(`${'文'.repeat(400)}.pdf`))).toHaveLength(docIdCharactersMax);
    expect(proposeDocId(`${'文'.repeat(400)}.pdf`)).toMatch(/\.pdf$/);
  });
});

describe('a doc_id that was typed', () => {
  it('is refused when empty, too long or with control characters', () => {
    expect(docIdProblem('  ')).toBe('empty');
    expect(docIdProblem('x'.repeat(257))).toBe('too_long');
    expect(docIdProblem('🙂'.repeat(256))).toBeNull();
    expect(docIdProblem('a\tb')).toBe('control_characters');
  });
});
