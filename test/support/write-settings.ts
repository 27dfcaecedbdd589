/** `npm run docs`: writes the tables of settings, `docs/settings.md` and its Chinese twin. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingsTable } from '../../src/config.ts';

const documents = [
  {
    file: 'settings.md',
    language: 'en',
    title: 'Settings',
    before:
      '[中文](settings.zh-CN.md) · Environment variables, or a file `.env` in the folder that the server is started in. An environment variable wins.',
    head: ['Setting', 'Default', 'Meaning'],
  },
  {
    file: 'settings.zh-CN.md',
    language: 'zh',
    title: '设置',
    before: '[English](settings.md) · 使用环境变量，或启动目录中的 `.env` 文件；以环境变量为准。',
    head: ['设置', '默认值', '含义'],
  },
] as const;

/** The documents as they should be, beside what they are; `file` from the root of the project. */
export function settingsDocuments(): { file: string; is: string; shouldBe: string }[] {
  return documents.map(({ file, language, title, before, head }) => {
    const rows = settingsTable().map(
      (row) => `| \`${row.name}\` | ${row.fallback === '' ? '' : `\`${row.fallback}\``} | ${row[language]} |`,
    );
    const lines = [`# ${title}`, '', before, '', `<!-- written by \`npm run docs\` from src/config.ts -->`, ''];
    const table = [`| ${head.join(' | ')} |`, '|---|---|---|', ...rows];
    return { file: `docs/${file}`, is: readIfThere(pathOf(`docs/${file}`)), shouldBe: `${[...lines, ...table].join('\n')}\n` };
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../${file}`, import.meta.url));
}

if (import.meta.main) {
  for (const { file, shouldBe } of settingsDocuments()) writeFileSync(pathOf(file), shouldBe);
}
