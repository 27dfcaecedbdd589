import { expect, it } from 'vitest';
import { sentences } from '../../src/http/wire/chinese.ts';
import { unreadKinds } from '../../src/parse/detect.ts';
import { zh } from '../../src/web/zh.ts';

it('the page says in Chinese what to do with every kind of file that is known and not read, in the words of the server', () => {
  expect(zh.unread).toEqual(Object.fromEntries(Object.values(unreadKinds).map((said) => [said, `${sentences[said]}。`])));
});
