/** Pictures of views, and how far two of them are apart where a reader would see it: by the lightness of small fields, not by pixels. */
import type { Page } from 'playwright-core';

/** As WebP, which is a quarter of a PNG: Chromium writes it, though Playwright's own call does not. */
export async function takePicture(page: Page, quality: number): Promise<Buffer> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
  await session.detach();
  return Buffer.from(data, 'base64');
}

/**
 * The share of fields of 16 × 16 pixels whose mean lightness differs by more than a sixth of the whole scale: another hinting of
 * letters changes none of them, a row that has moved changes many. 1 where the sizes differ. `page` only lends its decoder.
 */
export async function differenceOf(page: Page, one: Buffer, other: Buffer): Promise<number> {
  return page.evaluate(
    async ([first, second]) => {
      const fields = async (base64: string): Promise<{ width: number; height: number; light: number[] }> => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/webp' }));
        const { width, height } = bitmap;
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, width, height);
        const columns = Math.ceil(width / 16);
        const sums = Array.from({ length: columns * Math.ceil(height / 16) }, () => ({ sum: 0, count: 0 }));
        for (let at = 0; at < data.length; at += 4) {
          const field = sums[Math.floor(at / 4 / width / 16) * columns + Math.floor(((at / 4) % width) / 16)];
          if (field === undefined) continue;
          field.sum += ((data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)) / 3;
          field.count += 1;
        }
        return { width, height, light: sums.map(({ sum, count }) => sum / count) };
      };
      const [a, b] = [await fields(first as string), await fields(second as string)];
      if (a.width !== b.width || a.height !== b.height) return 1;
      return a.light.filter((light, index) => Math.abs(light - (b.light[index] ?? 0)) > 42).length / a.light.length;
    },
    [one.toString('base64'), other.toString('base64')],
  );
}
