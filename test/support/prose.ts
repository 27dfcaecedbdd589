/** Text that can be searched for: made sentences in English and Chinese, the same for the same number. */

const subjects = [
  'The harbour',
  'A quiet valley',
  'Our northern office',
  'The copper mine',
  'Every night train',
  'An old lighthouse',
  'The river bridge',
];
const verbs = ['reports', 'measures', 'delivers', 'records', 'replaces', 'inspects', 'forecasts'];
const objects = [
  'grain prices',
  'steel girders',
  'weather balloons',
  'insurance claims',
  'turbine blades',
  'school budgets',
  'water levels',
];
const subjectsZh = ['港口', '北方办事处', '铜矿', '夜班列车', '老灯塔', '河上的桥', '安静的山谷'];
const verbsZh = ['报告了', '测量了', '交付了', '记录了', '更换了', '检查了', '预测了'];
const objectsZh = ['粮食价格', '钢梁数量', '气象气球', '保险索赔', '涡轮叶片', '学校预算', '水位变化'];

/** One English sentence. */
export function sentence(seed: number): string {
  return `${pick(subjects, seed)} ${pick(verbs, seed * 3 + 1)} ${pick(objects, seed * 5 + 2)} in section ${seed}.`;
}

/** One Chinese sentence. */
export function sentenceZh(seed: number): string {
  return `${pick(subjectsZh, seed)}${pick(verbsZh, seed * 3 + 1)}${pick(objectsZh, seed * 5 + 2)}，第${seed}节。`;
}

/** A word that stands on one page only, made of letters so that no tokenizer cuts it. */
export function marker(seed: number): string {
  const letters = 'bcdfghjklmnpqrstvwxz';
  return `zq${Array.from(String(seed))
    .map((digit) => `${letters[Number(digit)]}o${letters[(Number(digit) * 7 + 3) % letters.length]}a`)
    .join('')}`;
}

/** `count` lines of page `page`, the marker of the page in one of them. */
export function pageLines(page: number, count: number): string[] {
  return Array.from({ length: count }, (_, line) =>
    line === 2 ? `The code word here is ${marker(page)}.` : sentence(page * 100 + line),
  );
}

function pick(words: readonly string[], seed: number): string {
  return words[seed % words.length]!;
}
