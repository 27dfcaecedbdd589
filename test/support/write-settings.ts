/** `npm run docs`: writes the settings tables into the READMEs, between their two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingsTable } from '../../src/config.ts';

const readmes = [
  { file: 'README.md', head: ['Setting', 'Default', 'Meaning'], language: 'en' },
  { file: 'README.zh-CN.md', head: ['设置', '默认值', '含义'], language: 'zh' },
] as const;

/** The README as it should be, beside what it is. */
export function settingsInReadmes(): { file: string; is: string; shouldBe: string }[] {
  return readmes.map(({ file, head, language }) => {
    const is = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
    const rows = settingsTable().map(
      (row) => `| \`${row.name}\` | ${row.fallback === '' ? '' : `\`${row.fallback}\``} | ${row[language]} |`,
    );
    const table = [`| ${head.join(' | ')} |`, '|---|---|---|', ...rows].join('\n');
    return {
      file,
      is,
      shouldBe: is.replace(
        /(<!-- settings:.*-->\n)[\s\S]*?(<!-- \/settings -->)/,
        (_, open: string, close: string) => `${open}\n${table}\n\n${close}`,
      ),
    };
  });
}

if (import.meta.main) {
  for (const { file, shouldBe } of settingsInReadmes())
    writeFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), shouldBe);
}
