import { expect, it } from 'vitest';
import { createSelection } from '../../src/web/selection.ts';

const order = ['a', 'b', 'c', 'd', 'e'];
const chosen = (selection: ReturnType<typeof createSelection>): string => [...selection.keys.value].sort().join('');

it('chooses one, up to another with shift, both ways, and lets go of them again', () => {
  const selection = createSelection();
  selection.toggle('b', { extend: false, order });
  selection.toggle('d', { extend: true, order });
  expect(chosen(selection)).toBe('bcd');

  selection.toggle('a', { extend: true, order });
  expect(chosen(selection)).toBe('abcd');
  selection.toggle('c', { extend: true, order });
  expect(chosen(selection)).toBe('d');

  selection.add(['e', 'x']);
  selection.clear(new Set(['x']));
  expect(chosen(selection)).toBe('de');
  selection.clear();
  selection.toggle('c', { extend: true, order });
  expect(chosen(selection)).toBe('c');
});
