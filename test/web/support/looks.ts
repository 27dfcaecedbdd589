/** What a script sees of a page that people who use a keyboard, or the system's own few colours, would stumble over; one line each. */
import type { Page } from 'playwright-core';

/**
 * Controls in the order of Tab: each where a reader's eye goes next within its part of the page (down, or on along the line), and
 * each with something drawn around it when it has the focus.
 */
export async function focusProblems(page: Page): Promise<string[]> {
  // From here on the browser takes the focus for a keyboard's.
  await page.keyboard.press('Tab');
  return page.evaluate(() => {
    const problems: string[] = [];
    const open = document.querySelector('dialog[open]');
    const parts =
      '.viewer-head, .viewer-tools, .viewer-body, .viewer, .search-side, .row, .plain-row, .notices, dialog, header, main';
    const controls = [
      ...(open ?? document).querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex="0"]'),
    ].filter((each) => !each.matches(':disabled') && each.checkVisibility({ visibilityProperty: true }) && each.tabIndex >= 0);
    const before = new Map<Element | null, DOMRect>();
    for (const control of controls) {
      const said = control.outerHTML.slice(0, 110);
      if (control.tabIndex > 0) problems.push(`is before all others: ${said}`);
      control.focus({ preventScroll: true });
      if (document.activeElement !== control) problems.push(`takes no focus: ${said}`);
      const { outlineStyle, outlineWidth } = getComputedStyle(control);
      if (outlineStyle === 'none' || Number.parseFloat(outlineWidth) < 1) problems.push(`shows no focus: ${said}`);
      const part = control.closest(parts);
      const box = control.getBoundingClientRect();
      const last = before.get(part);
      const isAbove = last !== undefined && box.bottom <= last.top + 1;
      const isBack = last !== undefined && Math.abs(box.top - last.top) < 4 && box.right <= last.left + 1;
      // What stays outside of the window until it has the focus has no place.
      if ((isAbove || isBack) && !control.matches('.skip, .skip *')) problems.push(`comes after what stands behind it: ${said}`);
      if (!control.matches('.skip')) before.set(part, box);
    }
    (document.activeElement as HTMLElement | null)?.blur();
    return problems;
  });
}

/** Where the system allows only its own colours: what is told by a colour or a filled shape has to be told all the same. */
export async function forcedColourProblems(page: Page): Promise<string[]> {
  await page.emulateMedia({ forcedColors: 'active' });
  const problems = await page.evaluate(() => {
    const found: string[] = [];
    const paper = getComputedStyle(document.body).backgroundColor;
    const look = (element: Element): string => {
      const { borderColor, borderStyle, borderWidth, outlineStyle, fontWeight, textDecorationLine, backgroundColor } =
        getComputedStyle(element);
      return [borderColor, borderStyle, borderWidth, outlineStyle, fontWeight, textDecorationLine, backgroundColor].join();
    };
    for (const shape of document.querySelectorAll('.fill, .status-dot, .dot, .mark-word, .mark-passage, mark')) {
      const { backgroundColor, borderStyle } = getComputedStyle(shape);
      const isShown = shape.getBoundingClientRect().width > 0;
      if (isShown && backgroundColor === paper && borderStyle === 'none')
        found.push(`is not seen: ${shape.outerHTML.slice(0, 110)}`);
    }
    for (const chosen of document.querySelectorAll('[aria-current], [aria-pressed=true], select.is-set')) {
      const other = [
        ...(chosen.closest('nav, .segments, .hits, .actions, .batch-head, .search-filters')?.querySelectorAll(chosen.tagName) ??
          []),
      ]
        .filter((each) => each.className.replace(' is-set', '') === chosen.className.replace(' is-set', ''))
        .find((each) => !each.matches('[aria-current], [aria-pressed=true], .is-set'));
      if (other !== undefined && look(other) === look(chosen))
        found.push(`looks like the others: ${chosen.outerHTML.slice(0, 110)}`);
    }
    for (const control of document.querySelectorAll(
      'button:not(.quiet):not(:disabled), a.button:not(.quiet), input[type=text], input[type=search], select',
    )) {
      const { borderStyle, borderColor } = getComputedStyle(control);
      if (control.checkVisibility() && (borderStyle === 'none' || borderColor === paper))
        found.push(`has no edge: ${control.outerHTML.slice(0, 110)}`);
    }
    return found;
  });
  await page.emulateMedia({ forcedColors: 'none' });
  return problems;
}
