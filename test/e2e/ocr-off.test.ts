/** OCR that the settings turn off, or that has none of the languages they name: what uploads of scans are told, by the real server. */
import { describe, expect, it } from 'vitest';
import { bmpOfText } from '../support/image-writer.ts';
import { makePdf, namelessGlyph } from '../support/pdf-writer.ts';
import { makeDataDir, removeDir, startServer } from '../support/server.ts';

const scan = bmpOfText('HELLO');
const partlyScanned = makePdf({ pages: [['A page with text.'], [`预算${namelessGlyph.repeat(5)}`]] });

describe('a scan', () => {
  it.each([
    {
      env: { OCR_PAGES: 'off' },
      why: 'OCR is off (OCR_PAGES=off); remove this setting, then upload it again',
      whyPages: 'is off (remove OCR_PAGES=off to have them read)',
      chinese: 'OCR 已关闭（OCR_PAGES=off）；请去掉此设置再上传',
    },
    {
      env: { OCR_LANGUAGES: 'off' },
      why: 'OCR is off (OCR_LANGUAGES=off); remove this setting, then upload it again',
      whyPages: 'is off (remove OCR_LANGUAGES=off to have them read)',
      chinese: 'OCR 已关闭（OCR_LANGUAGES=off）；请去掉此设置再上传',
    },
    {
      env: { OCR_LANGUAGES: 'klingon' },
      why: 'OCR has none of the languages in OCR_LANGUAGES; correct the setting or install them, then upload it again',
      whyPages: 'has none of the languages in OCR_LANGUAGES (correct the setting or install them to have them read)',
      chinese: 'OCR 没有 OCR_LANGUAGES 中的任何语言；请改正此设置或安装这些语言，再上传',
    },
  ])('is told which setting keeps it from being read, and what to do: $env', async ({ env, why, whyPages, chinese }) => {
    const dataDir = await makeDataDir();
    const server = await startServer({ dataDir, env });
    const read = async (file: Uint8Array, language: string): Promise<{ detail?: string; warnings?: string[] }> => {
      const answer = await fetch(`${server.url}/parse`, {
        method: 'POST',
        body: new Uint8Array(file),
        headers: { 'accept-language': language },
      });
      return (await answer.json()) as { detail?: string; warnings?: string[] };
    };
    try {
      expect((await read(scan, 'en')).detail).toBe(`Invalid document: No text found: this looks like a scan and ${why}`);
      expect((await read(scan, 'zh')).detail).toBe(`文档无法接收：没有找到文字：这似乎是扫描件，而 ${chinese}`);
      expect((await read(partlyScanned, 'en')).warnings).toEqual([`Pages that look scanned and need OCR, which ${whyPages}: 2`]);
      expect(/"lacking":\["klingon"\],"known":\[[^\]]*"eng"/.test(server.log())).toBe(env.OCR_LANGUAGES === 'klingon');
    } finally {
      await server.stop();
      await removeDir(dataDir);
    }
  });
});
