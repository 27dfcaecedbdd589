/** Units of measure by all their names, as the symbol that stands for each in an index term. */

/** Symbol, then what else it is called; English names with and without a plural s. */
const names: readonly string[] = [
  'km kilometre kilometer 公里 千米',
  'm metre meter 米',
  'dm decimetre decimeter 分米',
  'cm centimetre centimeter 厘米 公分',
  'mm millimetre millimeter 毫米',
  'um μm µm micrometre micrometer micron 微米',
  'nm nanometre nanometer 纳米',
  'mi mile 英里',
  'ft foot feet 英尺',
  'in inch inches 英寸',
  'km2 km² 平方公里 平方千米',
  'm2 m² 平方米 平米 ㎡',
  'm3 m³ 立方米',
  'ha hectare 公顷',
  'kg kilogram kilogramme kilo 公斤 千克',
  'g gram gramme 克',
  'mg milligram 毫克',
  't tonne ton 吨',
  'lb lbs pound 磅',
  'l litre liter 升 公升',
  'ml millilitre milliliter 毫升',
  'kv kilovolt 千伏',
  'v volt 伏 伏特',
  'mv millivolt 毫伏',
  'a amp ampere 安 安培',
  'ma milliampere milliamp 毫安',
  'mah 毫安时',
  'w watt 瓦 瓦特',
  'kw kilowatt 千瓦',
  'mw megawatt 兆瓦',
  'kwh 千瓦时 度电',
  'hz hertz 赫兹 赫',
  'khz kilohertz 千赫',
  'mhz megahertz 兆赫',
  'ghz gigahertz 吉赫',
  'pa pascal 帕 帕斯卡',
  'kpa kilopascal 千帕',
  'mpa megapascal 兆帕',
  'n newton 牛 牛顿',
  'nm n·m n⋅m 牛米 牛·米',
  'db decibel 分贝',
  '°c ℃ °c 摄氏度 celsius',
  '°f ℉ °f 华氏度 fahrenheit',
  'kb kilobyte 千字节',
  'mb megabyte 兆字节',
  'gb gigabyte 吉字节',
  'tb terabyte',
  's sec second 秒 秒钟',
  'ms millisecond 毫秒',
  'min minute 分钟',
  'h hr hour 小时',
  'km/h kmh kph 公里每小时 千米每小时',
  'rpm 转每分 转/分',
];

const symbols = new Map(
  names.flatMap((line) => {
    const [symbol = '', ...others] = line.split(' ');
    const plurals = others.filter((name) => /^[a-z]{3,}$/.test(name)).map((name) => `${name}s`);
    return [symbol, ...others, ...plurals].map((name) => [name, symbol] as const);
  }),
);

/** All names, the longest first, as the inside of a group in a regular expression. */
export const unitWords = [...symbols.keys()].sort((a, b) => b.length - a.length).join('|');

/** The symbol of a unit by one of its names, in lower case. */
export function unitOf(name: string): string {
  return symbols.get(name) ?? name;
}
