/** Chinese words that carry no subject: particles, pronouns, and what questions are put with. */
import { tokenize } from '../analysis/tokens.ts';

const words = new Set(
  (
    '的 了 是 在 有 和 与 及 或 中 为 被 把 将 从 到 对 于 以 之 其 此 该 这 那 哪 谁 什么 多少 有多少 哪个 哪些 哪里 哪儿 哪一 哪种 哪一个 为什么 怎么 怎样 ' +
    '怎么办 如何 何 何时 几 个 吗 呢 吧 啊 呀 请问 也 都 就 而 但 并 由 所 上 下 里 可以 可 能 能不能 会 要 不 没 没有 我 你 您 他 她 它 我们 你们 他们 ' +
    '是否 是不是 多 名 次 位 种 些 一 一个 等 地 得 着 过 又 还 很 最 关于 进行 叫 叫做 做 什么样 是什么 应该 需要 一下 什么时候 什么的 时 时候 后 前 ' +
    '以前 以后 之后 之前 之外 已经 因为 为了 因为什么 除了 如果 想要 想 一种 一类 一位 一条 一项 本 所谓 指 指的 指的是 名为 因 依照 根据 通常 大约 约 多久 哪 ' +
    '哪些人 哪年 哪一年 哪位 甚 甚么 被称为 称为 虽 虽然 但是 此外 另 另一 其中 其他 年 月 日 点 怎 会不会 有没有 是谁 用 来 去 给 让 使 向 跟 同 每 各 所有 任何 这个 那个 这些 那些 这样 那样'
  )
    .split(' ')
    .map(folded),
);

/** Whether a word, folded as the index folds it, says nothing of what is asked for. */
export function isChineseFunctionWord(word: string): boolean {
  return words.has(word);
}

function folded(word: string): string {
  return tokenize(word)
    .filter(({ kind }) => kind === 'char')
    .map(({ term }) => term)
    .join('');
}
