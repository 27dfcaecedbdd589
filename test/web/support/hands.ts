/** How people reach a control: with a mouse, with the keyboard alone, or by touch. Each way does only what such a person can do. */
import type { Locator, Page } from 'playwright-core';

export type Hand = {
  /** Follows a link, presses a button, opens a summary, ticks a box. */
  press(control: Locator): Promise<void>;
  /** Writes into a field what it is to hold. */
  write(field: Locator, text: string): Promise<void>;
  /** Chooses the option of a list that has this value. */
  choose(list: Locator, value: string): Promise<void>;
};

export type HandName = 'mouse' | 'keyboard' | 'touch';

export function handOf(name: HandName, page: Page): Hand {
  if (name === 'keyboard') return keyboard(page);
  const press = (control: Locator): Promise<void> => (name === 'touch' ? control.tap() : control.click());
  return {
    press,
    async write(field, text) {
      await press(field);
      await field.fill(text);
    },
    // The list itself is the system's.
    choose: async (list, value) => void (await list.selectOption(value)),
  };
}

function keyboard(page: Page): Hand {
  return {
    async press(control) {
      await reach(page, control);
      const isBox = await control.evaluate((element) => element.matches('input[type=checkbox], summary'));
      await page.keyboard.press(isBox ? 'Space' : 'Enter');
    },
    async write(field, text) {
      await reach(page, field);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.press('Delete');
      await page.keyboard.insertText(text);
    },
    async choose(list, value) {
      await reach(page, list);
      const steps = await list.evaluate(
        (element: HTMLSelectElement, wanted) => [...element.options].findIndex((each) => each.value === wanted),
        value,
      );
      await page.keyboard.press('Home');
      for (let step = 0; step < steps; step += 1) await page.keyboard.press('ArrowDown');
    },
  };
}

/** Most presses of Tab that anything on these small pages is away. */
const tabsMax = 120;

/** Tab, onwards from where the focus is and round by the browser's own end, until it is on the control. */
async function reach(page: Page, control: Locator): Promise<void> {
  const target = await control.elementHandle();
  if (target === null) throw new Error('The control is not on the page.');
  const isThere = (): Promise<boolean> => target.evaluate((element) => element === document.activeElement);
  for (let presses = 0; presses < tabsMax; presses += 1) {
    if (await isThere()) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${await target.evaluate((element) => element.outerHTML.slice(0, 160))}`);
}
