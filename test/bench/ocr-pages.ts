/** Pages of text as a scanner makes them, drawn by Chromium: of a language, at a resolution, turned a little, or with specks of dust. */
import type { Browser } from 'playwright-core';

export type ScanKind = 'clean' | 'turned by 2°' | 'specks';

/** Kinds of text, each with a heading and paragraphs that were written for this. */
export const scanTexts: Readonly<Record<string, readonly string[]>> = {
  English: [
    'Rules for the archive on the second floor',
    'Every document that leaves the building is registered first. The register names the person, the day and the reason, and it is kept for seven years. A document without a number is not handed out; ask at the desk, and somebody will give it one while you wait.',
    'The reading room opens at nine and closes at half past five. Between noon and one the desk is served by a single clerk, so that requests may take longer. Copies cost 15 cents a page; the first ten are free for members of the staff.',
    'Maps and drawings larger than 60 by 90 centimetres are brought to the long table. Please wear the gloves that lie there, keep pens away, and turn the sheets together with a second person. What is damaged is reported at once: nobody is blamed for a tear that is shown, and small tears can be mended the same week.',
    'On 14 March 2026 the archive received 3,482 files from the harbour office. They are listed in catalogue H, volumes 4 to 9, and may be ordered from the first of June. Until then questions about them go to Ms Keller, extension 217.',
  ],
  'simplified Chinese': [
    '二楼档案室管理规定',
    '凡是要带出大楼的文件，都必须事先登记。登记册上要写明姓名、日期和理由，并保存七年。没有编号的文件一律不外借；请到服务台询问，工作人员会当场为您编号。',
    '阅览室上午九点开放，下午五点半关闭。中午十二点到一点之间只有一名职员值班，办理时间可能较长。复印每页收费五角，本单位员工前十页免费。',
    '大于六十乘九十厘米的地图和图纸送到长桌上查阅。请戴好桌上的手套，不要把钢笔放在旁边，翻页时请两个人一起动手。发现破损应当立即报告：主动说明的人不会受到责备，小的裂口当周就可以修好。',
    '二〇二六年三月十四日，档案室从港务局接收了三千四百八十二份卷宗，编入目录第四册至第九册，六月一日起可以预约。在此之前，有关问题请联系张老师，分机二一七。',
  ],
  'traditional Chinese': [
    '二樓檔案室管理規定',
    '凡是要帶出大樓的文件，都必須事先登記。登記冊上要寫明姓名、日期和理由，並保存七年。沒有編號的文件一律不外借；請到服務臺詢問，工作人員會當場為您編號。',
    '閱覽室上午九點開放，下午五點半關閉。中午十二點到一點之間只有一名職員值班，辦理時間可能較長。影印每頁收費五角，本單位員工前十頁免費。',
    '大於六十乘九十公分的地圖和圖紙送到長桌上查閱。請戴好桌上的手套，不要把鋼筆放在旁邊，翻頁時請兩個人一起動手。發現破損應當立即報告：主動說明的人不會受到責備，小的裂口當週就可以修好。',
    '二〇二六年三月十四日，檔案室從港務局接收了三千四百八十二份卷宗，編入目錄第四冊至第九冊，六月一日起可以預約。在此之前，有關問題請聯絡張老師，分機二一七。',
  ],
  mixed: [
    '部署说明 Deployment notes',
    '服务器启动后会监听 8000 端口，请先在防火墙里放行。The server writes its log to the terminal; a line of JSON is one event. 如果需要保存日志，请使用 systemd 或 Docker 的日志功能。',
    '默认的嵌入模型不需要下载，完全离线运行。To use a model of your own, set EMBEDDER to onnx and give the folder that holds it. 模型文件较大时，第一次启动可能需要几分钟。',
    '备份命令是 rag-intake backup，恢复命令是 rag-intake restore。Both can be run while the server works. 请把备份保存在另一块硬盘上，并且每个月至少试着恢复一次。',
    '如有问题，请把版本号、操作系统和错误信息一起发给管理员。Do not send the documents themselves: what they contain is nobody else’s business.',
  ],
};

/** The text that is on the page, a paragraph a line. */
export function textOn(kind: string): string {
  return scanTexts[kind]!.join('\n');
}

const cssDpi = 96;
const [a4Width, a4Height] = [794, 1123];

/** One of `scanTexts` on A4 as PNG. */
export function scanOf(browser: Browser, text: string, dpi: number, kind: ScanKind): Promise<Buffer> {
  return scanOfLines(browser, scanTexts[text]!, { dpi, kind, isTraditional: text === 'traditional Chinese' });
}

/** A heading and paragraphs on A4 as PNG, black on white, in a serif font of 12 points. */
export async function scanOfLines(
  browser: Browser,
  [title, ...paragraphs]: readonly string[],
  { dpi, kind, isTraditional = false }: { dpi: number; kind: ScanKind; isTraditional?: boolean },
): Promise<Buffer> {
  const scale = dpi / cssDpi;
  const context = await browser.newContext({ viewport: { width: a4Width, height: a4Height }, deviceScaleFactor: scale });
  try {
    const page = await context.newPage();
    const language = isTraditional ? 'zh-TW' : 'zh-CN';
    await page.setContent(`<!doctype html><html lang="${language}"><style>
      html { background: white; color: black; font: 16px/1.6 'DejaVu Serif', 'Noto Serif CJK ${language === 'zh-TW' ? 'TC' : 'SC'}', serif }
      body { margin: 80px 90px; ${kind === 'turned by 2°' ? 'transform: rotate(2deg)' : ''} } h1 { font-size: 22px }
      canvas { position: fixed; inset: 0; width: 100%; height: 100%; mix-blend-mode: multiply }</style>
      <h1>${title}</h1>${paragraphs.map((each) => `<p>${each}</p>`).join('')}</html>`);
    if (kind === 'specks') await page.evaluate(addSpecks, scale);
    return await page.screenshot({ type: 'png' });
  } finally {
    await context.close();
  }
}

/** A PDF whose pages are these pictures and nothing else. */
export async function pdfOfPictures(browser: Browser, pictures: readonly Buffer[]): Promise<Buffer> {
  const page = await browser.newPage();
  try {
    const images = pictures.map((png) => `<img src="data:image/png;base64,${png.toString('base64')}">`);
    await page.setContent(
      `<style>body { margin: 0 } img { display: block; width: 210mm; height: 296.9mm }</style>${images.join('')}`,
    );
    return await page.pdf({ format: 'A4', printBackground: true });
  } finally {
    await page.close();
  }
}

/** In the page: every hundredth point grey, every five hundredth black, always the same ones. */
function addSpecks(scale: number): void {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [innerWidth * scale, innerHeight * scale];
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(canvas.width, canvas.height);
  let state = 1;
  for (let at = 0; at < image.data.length; at += 4) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const chance = (state >>> 8) % 500;
    image.data[at + 3] = chance === 0 ? 255 : chance < 6 ? 110 : 0;
  }
  context.putImageData(image, 0, 0);
  document.body.append(canvas);
}
