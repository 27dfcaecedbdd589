/** 200 files as an office has them, in folders, in two languages, one of them corrupt: for `administrator-path.sh`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePdf } from '../support/pdf-writer.ts';

const folder = process.argv[2]!;
for (const name of ['合同', 'manuals/pumps', 'letters']) mkdirSync(join(folder, name), { recursive: true });

for (let number = 1; number <= 199; number += 1) {
  const english = `Valve report number ${number}: the valve was opened, tested at ${number} bar and closed again.`;
  const chinese = `第 ${number} 号 水泵检修报告：启动前必须排气，压力 ${number} 兆帕。`;
  if (number % 5 === 0) write(`manuals/pumps/report-${number}.pdf`, makePdf({ pages: [[english], [chinese]] }));
  else if (number % 5 === 1) write(`letters/report ${number}.md`, `# Report ${number}\n\n${english}\n\n${chinese}\n`);
  else if (number % 5 === 2) write(`合同/报告-${number}.html`, `<h1>报告 ${number}</h1><p>${english}</p><p>${chinese}</p>`);
  else if (number % 5 === 3) write(`letters/report-${number}.csv`, `number,text\n${number},"${english} ${chinese}"\n`);
  else write(`合同/报告-${number}.txt`, `${english}\n${chinese}\n`);
}
write('manuals/broken.pdf', Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(5000, 0x8f)]));

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
}
