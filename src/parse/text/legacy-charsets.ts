/**
 * Encodings that `TextDecoder` does not know (it has those of the WHATWG list): DOS and Macintosh code pages as tables of
 * their upper halves, and the multi-byte ones by turning their bytes into an encoding that it knows.
 */

/** The upper half (bytes 80–FF) of single-byte encodings, from the Unicode consortium's mapping files. */
const upperHalves: Readonly<Record<string, string>> = {
  ibm437:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  ibm737:
    'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρσςτυφχψ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀ωάέήϊίόύϋώΆΈΉΊΌΎΏ±≥≤ΪΫ÷≈°∙·√ⁿ²■\u00a0',
  ibm775:
    'ĆüéāäģåćłēŖŗīŹÄÅÉæÆōöĢ¢ŚśÖÜø£Ø×¤ĀĪóŻżź”¦©®¬½¼Ł«»░▒▓│┤ĄČĘĖ╣║╗╝ĮŠ┐└┴┬├─┼ŲŪ╚╔╩╦╠═╬Žąčęėįšųūž┘┌█▄▌▐▀ÓßŌŃõÕµńĶķĻļņĒŅ’\u00ad±“¾¶§÷„°∙·¹³²■\u00a0',
  ibm850:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
  ibm852:
    'ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u00ad˝˛ˇ˘§÷¸°¨˙űŘř■\u00a0',
  ibm855:
    'ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪаАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀ЯрРсСтТуУжЖвВьЬ№\u00adыЫзЗшШэЭщЩчЧ§■\u00a0',
  ibm857:
    'ÇüéâäàåçêëèïîıÄÅÉæÆôöòûùİÖÜø£ØŞşáíóúñÑĞğ¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ºªÊËÈ�ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµ�×ÚÛÙìÿ¯´\u00ad±�¾¶§÷¸°¨·¹³²■\u00a0',
  ibm862:
    'אבגדהוזחטיךכלםמןנסעףפץצקרשת¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  ibm1125:
    'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀рстуфхцчшщъыьэюяЁёҐґЄєІіЇї·√№¤■\u00a0',
  'x-mac-greek':
    'Ä¹²É³ÖÜ΅àâä΄¨çéèêë£™îï•½‰ôö¦€ùûü†ΓΔΘΛΞΠß®©ΣΪ§≠°·Α±≤≥¥ΒΕΖΗΙΚΜΦΫΨΩάΝ¬ΟΡ≈Τ«»…\u00a0ΥΧΆΈœ–―“”‘’÷ΉΊΌΎέήίόΏύαβψδεφγηιξκλμνοπώρστθωςχυζϊϋΐΰ\u00ad',
  'x-mac-latin2':
    'ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅņŃ¬√ńŇ∆«»…\u00a0ňŐÕőŌ–—“”‘’÷◊ōŔŕŘ‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ',
  'x-mac-turkish':
    'ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸĞğİıŞş‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙ\uf8a0ˆ˜¯˘˙˚¸˝˛ˇ',
};

/** True when `decodeLegacy` reads this encoding. */
export function isLegacyCharset(name: string): boolean {
  return name in upperHalves || name in multiByte;
}

/** Never throws; what has no meaning becomes U+FFFD. Linear. */
export function decodeLegacy(bytes: Uint8Array, name: string): string {
  const upper = upperHalves[name];
  if (upper !== undefined) return decodeSingleByte(bytes, upper);
  return multiByte[name]!(bytes);
}

const multiByte: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  'euc-tw': (bytes) => new TextDecoder('big5').decode(eucTwToBig5(bytes)),
  'iso-2022-kr': (bytes) => new TextDecoder('euc-kr').decode(iso2022KrToEucKr(bytes)),
  'iso-2022-cn': decodeIso2022Cn,
  'hz-gb-2312': (bytes) => new TextDecoder('gbk').decode(hzToGbk(bytes)),
  johab: decodeJohab,
};

function decodeSingleByte(bytes: Uint8Array, upper: string): string {
  const units = new Uint16Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    units[at] = byte < 0x80 ? byte : upper.charCodeAt(byte - 0x80);
  }
  return new TextDecoder('utf-16le').decode(units);
}

/** CNS 11643 plane 1 and 2 as runs that Big5 has in the same order: [first code, first Big5 code or 0 for none]. After N. Tomio's lv. */
const cnsRuns: readonly (readonly (readonly [number, number])[])[] = [
  [
    [0x2121, 0xa140],
    [0x2257, 0xa1f7],
    [0x2258, 0xa1f6],
    [0x2259, 0xa1f8],
    [0x234f, 0],
    [0x2421, 0xa2af],
    [0x2571, 0],
    [0x4221, 0xa3c0],
    [0x4242, 0],
    [0x4421, 0xa440],
    [0x5323, 0xad40],
    [0x5753, 0xacfe],
    [0x5754, 0xafd0],
    [0x6b50, 0xbe52],
    [0x6b51, 0xbbc8],
    [0x6f5c, 0xbe53],
    [0x7535, 0xc2cb],
    [0x7536, 0xc1ab],
    [0x7737, 0xc2cc],
    [0x782d, 0xc456],
    [0x782e, 0xc361],
    [0x7864, 0xc3ba],
    [0x7865, 0xc3b9],
    [0x7866, 0xc3bb],
    [0x7962, 0xc457],
    [0x7d4c, 0],
  ],
  [
    [0x2121, 0xc940],
    [0x212b, 0xc94b],
    [0x214c, 0xc9be],
    [0x214d, 0xc96c],
    [0x217d, 0xc9bf],
    [0x224d, 0xcaf7],
    [0x224e, 0xc9ed],
    [0x2439, 0xcaf8],
    [0x387e, 0xd77b],
    [0x3f6a, 0xd77a],
    [0x3f6b, 0xdba7],
    [0x4176, 0xddfc],
    [0x4177, 0],
    [0x4424, 0xddfd],
    [0x554b, 0xebf1],
    [0x554c, 0xe8a3],
    [0x5722, 0xecde],
    [0x5723, 0xe976],
    [0x5a28, 0xf0cb],
    [0x5a29, 0xeb5b],
    [0x5b3f, 0xebf2],
    [0x5c6a, 0xecdf],
    [0x5d74, 0xf056],
    [0x5d75, 0xedaa],
    [0x6039, 0xeeec],
    [0x6243, 0xf057],
    [0x6337, 0xf0cc],
    [0x642f, 0xeeeb],
    [0x6430, 0xf163],
    [0x6438, 0xf16c],
    [0x6573, 0xf269],
    [0x664d, 0xf4b5],
    [0x664e, 0xf2c3],
    [0x6761, 0xf16b],
    [0x6762, 0xf375],
    [0x6934, 0xf268],
    [0x6935, 0xf466],
    [0x6962, 0xf4b6],
    [0x6a4b, 0xf663],
    [0x6a4c, 0xf4fd],
    [0x6c52, 0xf664],
    [0x7166, 0xf9c4],
    [0x7167, 0xf977],
    [0x7234, 0xf9c5],
    [0x7235, 0xf9c7],
    [0x7240, 0xf9c6],
    [0x7241, 0xf9d2],
    [0x7245, 0],
  ],
];

/** The Big5 code of a CNS 11643 character, 0 when it has none. Big5 rows have 157 places (40–7E, A1–FE), CNS rows 94. */
function cnsToBig5(plane: number, code: number): number {
  const runs = cnsRuns[plane - 1] ?? [];
  const run = runs.findLast(([first]) => first <= code);
  if (run === undefined || run[1] === 0) return 0;
  const [first, big5] = run;
  const distance = ((code >> 8) - (first >> 8)) * 94 + (code & 0xff) - (first & 0xff);
  const trail = big5 & 0xff;
  const place = trail - (trail >= 0xa1 ? 0x62 : 0x40) + distance;
  const low = place % 157;
  return (big5 & 0xff00) + (Math.floor(place / 157) << 8) + low + (low > 0x3e ? 0x62 : 0x40);
}

/**
 * True when the bytes can only be EUC-TW: every pair stands for a character, and most are Hanzi. CNS has nothing where GB 2312,
 * KS X 1001 and JIS X 0208 have their commonest characters (B0–C1), so chance is out of the question.
 */
export function isEucTw(bytes: Uint8Array): boolean {
  let hanzi = 0;
  let others = 0;
  for (let at = 0; at + 1 < bytes.length; at++) {
    const lead = bytes[at]!;
    if (lead < 0x80) continue;
    const isLong = lead === 0x8e;
    if (isLong && at + 3 >= bytes.length) break;
    const code = ((bytes[at + (isLong ? 2 : 0)]! & 0x7f) << 8) | (bytes[at + (isLong ? 3 : 1)]! & 0x7f);
    if (bytes[at + 1]! < 0xa1 || (lead < 0xa1 && !isLong)) return false;
    if (cnsToBig5(isLong ? bytes[at + 1]! - 0xa0 : 1, code) === 0) others += 5;
    else if (lead >= 0xc4 || isLong) hanzi += 1;
    else others += 1;
    at += isLong ? 3 : 1;
  }
  return hanzi >= 10 && hanzi > others * 2;
}

function eucTwToBig5(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const long = lead === 0x8e;
    const plane = long ? (bytes[at + 1] ?? 0) - 0xa0 : 1;
    const high = bytes[at + (long ? 2 : 0)] ?? 0;
    const low = bytes[at + (long ? 3 : 1)] ?? 0;
    if (lead < 0x80 || high < 0xa1 || low < 0xa1) {
      out[length++] = lead < 0x80 ? lead : 0xff;
      at += 1;
      continue;
    }
    const big5 = cnsToBig5(plane, ((high & 0x7f) << 8) | (low & 0x7f));
    if (big5 === 0) out[length++] = 0xff; // which no decoder knows
    else {
      out[length++] = big5 >> 8;
      out[length++] = big5 & 0xff;
    }
    at += long ? 4 : 2;
  }
  return out.subarray(0, length);
}

/** KS X 1001 between SO and SI, without the high bits of EUC-KR (RFC 1557). */
function iso2022KrToEucKr(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let shifted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === 0x0e || byte === 0x0f) shifted = byte === 0x0e;
    else if (byte === 0x1b && bytes[at + 1] === 0x24 && bytes[at + 2] === 0x29) at += 3;
    else {
      if (byte === 0x0a) shifted = false;
      out[length++] = shifted && byte > 0x20 ? byte | 0x80 : byte;
    }
  }
  return out.subarray(0, length);
}

/** GB 2312 between `~{` and `~}` (RFC 1843). */
function hzToGbk(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let shifted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    const next = bytes[at + 1];
    if (byte === 0x7e && (next === 0x7b || next === 0x7d)) {
      shifted = next === 0x7b;
      at += 1;
    } else if (byte === 0x7e && !shifted && (next === 0x7e || next === 0x0a)) {
      if (next === 0x7e) out[length++] = 0x7e;
      at += 1;
    } else {
      if (byte === 0x0a) shifted = false;
      out[length++] = shifted && byte > 0x20 ? byte | 0x80 : byte;
    }
  }
  return out.subarray(0, length);
}

/** GB 2312 or CNS 11643 plane 1 after SO, plane 2 after SS2 (RFC 1922); decoded piece by piece, as the two need two decoders. */
function decodeIso2022Cn(bytes: Uint8Array): string {
  const parts: string[] = [];
  const gbk = new TextDecoder('gbk');
  const big5 = new TextDecoder('big5');
  const cns = (plane: number, code: number): string => {
    const found = cnsToBig5(plane, code);
    return found === 0 ? '\ufffd' : big5.decode(Uint8Array.of(found >> 8, found & 0xff));
  };
  let designated: 'gb' | 'cns' = 'gb';
  let shifted = false;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!;
    const high = bytes[at] ?? 0;
    const low = bytes[at + 1] ?? 0;
    if (byte === 0x1b && bytes[at + 1] === 0x24) {
      if (bytes[at + 2] === 0x29) designated = bytes[at + 3] === 0x47 ? 'cns' : 'gb';
      at += 4;
    } else if (byte === 0x1b && bytes[at + 1] === 0x4e) {
      parts.push(cns(2, ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)));
      at += 4;
    } else if (byte === 0x0e || byte === 0x0f) {
      shifted = byte === 0x0e;
      at += 1;
    } else if (shifted && high > 0x20 && low > 0x20) {
      parts.push(designated === 'cns' ? cns(1, (high << 8) | low) : gbk.decode(Uint8Array.of(high | 0x80, low | 0x80)));
      at += 2;
    } else {
      if (byte === 0x0a) shifted = false;
      parts.push(String.fromCharCode(byte));
      at += 1;
    }
  }
  return parts.join('');
}

/** Johab writes a syllable as three 5-bit letters (KS X 1001, annex 3); these are their places in Unicode's order, -1 for none. */
const johabInitials = [-1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];
const johabMedials = [-1, -1, -1, 0, 1, 2, 3, 4, -1, -1, 5, 6, 7, 8, 9, 10, -1, -1, 11, 12, 13, 14, 15, 16, -1, -1, 17, 18, 19, 20];
const johabFinals = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, -1, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
/** The compatibility jamo of those letters standing alone. */
const initialJamo = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
const finalJamo = 'ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ';

function decodeJohab(bytes: Uint8Array): string {
  const parts: string[] = [];
  const eucKr = new TextDecoder('euc-kr');
  for (let at = 0; at < bytes.length;) {
    const high = bytes[at]!;
    const low = bytes[at + 1] ?? 0;
    if (high < 0x80) {
      parts.push(high === 0x5c ? '₩' : String.fromCharCode(high));
      at += 1;
    } else if (high >= 0x84 && high <= 0xd3 && low >= 0x41) {
      parts.push(johabSyllable((high << 8) | low));
      at += 2;
    } else if (high >= 0xd8 && high <= 0xf9 && low >= 0x31) {
      parts.push(eucKr.decode(johabToEucKr(high, low)));
      at += 2;
    } else {
      parts.push('\ufffd');
      at += 1;
    }
  }
  return parts.join('');
}

function johabSyllable(code: number): string {
  const initial = johabInitials[(code >> 10) & 31] ?? -1;
  const medial = johabMedials[(code >> 5) & 31] ?? -1;
  const final = johabFinals[code & 31] ?? -1;
  if (initial >= 0 && medial >= 0 && final >= 0) return String.fromCharCode(0xac00 + (initial * 21 + medial) * 28 + final);
  if (initial >= 0 && medial < 0 && final <= 0) return initialJamo[initial]!;
  if (initial < 0 && medial >= 0 && final <= 0) return String.fromCharCode(0x314f + medial);
  if (initial < 0 && medial < 0 && final > 0) return finalJamo[final - 1]!;
  return '\ufffd';
}

/** Symbols (D9–DE) and Hanja (E0–F9): each lead byte holds two rows of KS X 1001. */
function johabToEucKr(high: number, low: number): Uint8Array {
  const second = low >= 0xa1;
  const place = second ? low - 0xa1 : low - (low >= 0x91 ? 0x43 : 0x31);
  const row = high < 0xdf ? (high - 0xd9) * 2 + 1 : (high - 0xe0) * 2 + 42;
  return Uint8Array.of(0xa0 + row + (second ? 1 : 0), 0xa1 + place);
}
