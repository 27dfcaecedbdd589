/**
 * What the glyphs of a PDF's simple fonts stand for: PostScript glyph names as text, by the Adobe Glyph List and the names that
 * TeX's fonts use, and the three encodings that a font can name instead of listing its glyphs.
 */

/** The codes of a font's encoding that a PDF may give by name. */
export type EncodingName = 'StandardEncoding' | 'WinAnsiEncoding' | 'MacRomanEncoding';

/**
 * Gives the text that a glyph name stands for: the letters of a ligature, the character without its variant ("a.sc" is "a").
 * Empty for a piece of a tall bracket or arrow, undefined for names that say nothing, such as ".notdef" or "g12".
 */
export function characterOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  const stem = dot === -1 ? name : name.slice(0, dot);
  if (stem === '') return undefined;
  if (!stem.includes('_')) return componentOf(stem);
  const texts = stem.split('_').map(componentOf);
  return texts.some((text) => text !== undefined) ? texts.join('') : undefined;
}

function componentOf(name: string): string | undefined {
  return characters.get(name) ?? hexadecimalOf(name) ?? variantOf(name) ?? (piece.test(name) ? '' : undefined);
}

/** TeX builds what is higher or wider than a line of these; `cwm` parts two words that are written as one. */
const piece =
  /^(?:(?:paren|bracket|brace|floor|ceiling)(?:left|right)(?:tp|ex|mid|bt)|brace(?:ex|htip(?:up|down)(?:left|right))|vextend(?:single|double)|arrow(?:vert|dblvert)ex|(?:arrow|arrowdbl)(?:tp|bt)|radical(?:tp|ex|vertex)|cwm)$/;

/** A name in a PDF has at most 127 bytes, which are 31 of these. */
const groups = /^uni((?:[0-9A-F]{4}){1,31})$/;
const single = /^u([0-9A-F]{4,6})$/;

/** Names that spell their code points: "uni20AC0308", "u1F600". */
function hexadecimalOf(name: string): string | undefined {
  const digits = groups.exec(name)?.[1]?.match(/.{4}/g) ?? single.exec(name)?.slice(1);
  const points = digits?.map((text) => Number.parseInt(text, 16));
  return points?.every(isCharacter) === true ? String.fromCodePoint(...points) : undefined;
}

function isCharacter(point: number): boolean {
  return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/*
 * TeX's larger sizes of an operator or a delimiter, and Adobe's expert sets, which the glyph list puts in the private use area,
 * where no reader finds them.
 */
const variant = /^(.+?)(?:big|Big|bigg|Bigg|display|text|oldstyle|small|superior|inferior)$/;

function variantOf(name: string): string | undefined {
  const base = variant.exec(name)?.[1];
  return base === undefined ? undefined : characters.get(base);
}

/** Each line: the code of its first name, then the names of the codes after it; "-" skips a code, "|" parts names of one code. */
const names = `
0020 space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma hyphen
002E period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at A B C D E F G
0048 H I J K L M N O P Q R S T U V W X Y Z bracketleft backslash bracketright asciicircum underscore grave a b c d e f g h i j k
006C l m n o p q r s t u v w x y z braceleft bar|verticalbar braceright asciitilde
00A0 nbspace|nonbreakingspace exclamdown cent sterling currency yen brokenbar section dieresis copyright|circlecopyrt
00AA ordfeminine guillemotleft logicalnot softhyphen|sfthyphen registered macron|overscore degree plusminus twosuperior
00B3 threesuperior acute mu|mu1 paragraph periodcentered|middot cedilla onesuperior ordmasculine guillemotright onequarter
00BD onehalf threequarters questiondown Agrave Aacute Acircumflex Atilde Adieresis Aring AE Ccedilla Egrave Eacute Ecircumflex
00CB Edieresis Igrave Iacute Icircumflex Idieresis Eth Ntilde Ograve Oacute Ocircumflex Otilde Odieresis multiply Oslash Ugrave
00DA Uacute Ucircumflex Udieresis Yacute Thorn germandbls agrave aacute acircumflex atilde adieresis aring ae ccedilla egrave
00E9 eacute ecircumflex edieresis igrave iacute icircumflex idieresis eth ntilde ograve oacute ocircumflex otilde odieresis
00F7 divide oslash ugrave uacute ucircumflex udieresis yacute thorn ydieresis Amacron amacron Abreve abreve Aogonek aogonek
0106 Cacute cacute Ccircumflex ccircumflex Cdot|Cdotaccent cdot|cdotaccent Ccaron ccaron Dcaron dcaron Dcroat|Dslash
0111 dcroat|dmacron Emacron emacron Ebreve ebreve Edot|Edotaccent edot|edotaccent Eogonek eogonek Ecaron ecaron Gcircumflex
011D gcircumflex Gbreve gbreve Gdot|Gdotaccent gdot|gdotaccent Gcedilla|Gcommaaccent gcedilla|gcommaaccent Hcircumflex
0125 hcircumflex Hbar hbar Itilde itilde Imacron imacron Ibreve ibreve Iogonek iogonek Idot|Idotaccent dotlessi IJ ij
0134 Jcircumflex jcircumflex Kcedilla|Kcommaaccent kcedilla|kcommaaccent kgreenlandic Lacute lacute Lcedilla|Lcommaaccent
013C lcedilla|lcommaaccent Lcaron lcaron Ldot|Ldotaccent ldot|ldotaccent Lslash lslash Nacute nacute Ncedilla|Ncommaaccent
0146 ncedilla|ncommaaccent Ncaron ncaron napostrophe|quoterightn Eng eng Omacron omacron Obreve obreve Odblacute|Ohungarumlaut
0151 odblacute|ohungarumlaut OE oe Racute racute Rcedilla|Rcommaaccent rcedilla|rcommaaccent Rcaron rcaron Sacute sacute
015C Scircumflex scircumflex Scedilla scedilla Scaron scaron Tcedilla|Tcommaaccent tcedilla|tcommaaccent Tcaron tcaron Tbar tbar
0168 Utilde utilde Umacron umacron Ubreve ubreve Uring uring Udblacute|Uhungarumlaut udblacute|uhungarumlaut Uogonek uogonek
0174 Wcircumflex wcircumflex Ycircumflex ycircumflex Ydieresis Zacute zacute Zdot|Zdotaccent zdot|zdotaccent Zcaron zcaron
017F longs|slong bstroke Bhook Btopbar btopbar Tonesix tonesix Oopen Chook chook Dafrican Dhook Dtopbar dtopbar deltaturned
018E Ereversed Schwa Eopen Fhook florin Ghook Gammaafrican hv Iotaafrican Istroke Khook khook lbar lambdastroke Mturned
019D Nhookleft nlegrightlong Ocenteredtilde Ohorn ohorn Oi oi Phook phook yr Tonetwo tonetwo Esh eshreversedloop tpalatalhook
01AC Thook thook Tretroflexhook Uhorn uhorn Upsilonafrican Vhook Yhook yhook Zstroke zstroke Ezh Ezhreversed ezhreversed ezhtail
01BB twostroke Tonefive tonefive glottalinvertedstroke wynn clickdental clicklateral clickalveolar clickretroflex DZcaron
01C5 Dzcaron dzcaron LJ Lj lj NJ Nj nj Acaron acaron Icaron icaron Ocaron ocaron Ucaron ucaron Udieresismacron udieresismacron
01D7 Udieresisacute udieresisacute Udieresiscaron udieresiscaron Udieresisgrave udieresisgrave eturned Adieresismacron
01DF adieresismacron Adotmacron adotmacron AEmacron aemacron Gstroke gstroke Gcaron gcaron Kcaron kcaron Oogonek oogonek
01EC Oogonekmacron oogonekmacron Ezhcaron ezhcaron jcaron DZ Dz dz Gacute gacute
01FA Aringacute aringacute AEacute aeacute Oslashacute|Ostrokeacute oslashacute|ostrokeacute Adblgrave adblgrave Ainvertedbreve
0203 ainvertedbreve Edblgrave edblgrave Einvertedbreve einvertedbreve Idblgrave idblgrave Iinvertedbreve iinvertedbreve
020C Odblgrave odblgrave Oinvertedbreve oinvertedbreve Rdblgrave rdblgrave Rinvertedbreve rinvertedbreve Udblgrave udblgrave
0216 Uinvertedbreve uinvertedbreve Scommaaccent scommaaccent
0237 dotlessj
0250 aturned ascript ascriptturned bhook oopen ccurl dtail dhook ereversed schwa schwahook eopen eopenreversed eopenreversedhook
025E eopenreversedclosed jdotlessstroke ghook gscript - gammalatinsmall ramshorn hturned hhook henghook istroke iotalatin
026B lmiddletilde lbelt lhookretroflex lezh mturned mlonglegturned mhook nhookleft nhookretroflex - obarred - omegalatinclosed
0278 philatin rturned rlonglegturned rhookturned rlongleg rhook rfishhook rfishhookreversed - Rsmallinverted shook esh
0284 dotlessjstrokehook eshsquatreversed eshcurl tturned tretroflexhook ubar upsilonlatin vhook vturned wturned yturned
0290 zretroflexhook zcurl ezh ezhcurl glottalstop glottalstopreversed glottalstopinverted cstretched bilabialclick - eopenclosed
029B Gsmallhook - jcrossedtail kturned - qhook glottalstopstroke glottalstopstrokereversed dzaltone dezh dzcurl ts tesh tccurl
02B0 hsuperior hhooksuperior jsuperior - rturnedsuperior rhookturnedsuperior Rsmallinvertedsuperior wsuperior ysuperior primemod
02BA dblprimemod commaturnedmod apostrophemod|afii57929 commareversedmod|afii64937 ringhalfright ringhalfleft glottalstopmod
02C1 glottalstopreversedmod arrowheadleftmod arrowheadrightmod arrowheadupmod arrowheaddownmod circumflex caron verticallinemod
02C9 firsttonechinese secondtonechinese fourthtonechinese verticallinelowmod macronlowmod gravelowmod acutelowmod
02D0 colontriangularmod colontriangularhalfmod ringhalfrightcentered ringhalfleftcentered uptackmod downtackmod plusmod minusmod
02D8 breve dotaccent ring ogonek tilde|ilde|tildewide|tildewider|tildewidest hungarumlaut|dblacute rhotichookmod - gammasuperior
02E3 xsuperior glottalstopreversedsuperior tonebarextrahighmod tonebarhighmod tonebarmidmod tonebarlowmod tonebarextralowmod
0300 gravecomb|gravecmb acutecomb|acutecmb circumflexcmb|hatwide|hatwider|hatwidest tildecomb|tildecmb macroncmb overlinecmb
0306 brevecmb dotaccentcmb dieresiscmb hookabovecomb|hookcmb ringcmb hungarumlautcmb caroncmb verticallineabovecmb
030E dblverticallineabovecmb dblgravecmb candrabinducmb breveinvertedcmb commaturnedabovecmb commaabovecmb commareversedabovecmb
0315 commaaboverightcmb gravebelowcmb acutebelowcmb lefttackbelowcmb righttackbelowcmb leftangleabovecmb horncmb
031C ringhalfleftbelowcmb uptackbelowcmb downtackbelowcmb plusbelowcmb minusbelowcmb hookpalatalizedbelowcmb
0322 hookretroflexbelowcmb dotbelowcomb|dotbelowcmb dieresisbelowcmb ringbelowcmb - cedillacmb ogonekcmb verticallinebelowcmb
032A bridgebelowcmb dblarchinvertedbelowcmb caronbelowcmb circumflexbelowcmb brevebelowcmb breveinvertedbelowcmb tildebelowcmb
0331 macronbelowcmb lowlinecmb dbllowlinecmb tildeoverlaycmb strokeshortoverlaycmb strokelongoverlaycmb solidusshortoverlaycmb
0338 soliduslongoverlaycmb|negationslash ringhalfrightbelowcmb bridgeinvertedbelowcmb squarebelowcmb seagullbelowcmb xabovecmb
033E tildeverticalcmb dbloverlinecmb gravetonecmb acutetonecmb perispomenigreekcmb koroniscmb dialytikatonoscmb
0345 ypogegrammenigreekcmb
0360 tildedoublecmb breveinverteddoublecmb
0374 numeralsigngreek numeralsignlowergreek
037A ypogegrammeni - - - questiongreek
0384 tonos dieresistonos|dialytikatonos Alphatonos anoteleia Epsilontonos Etatonos Iotatonos - Omicrontonos - Upsilontonos
038F Omegatonos iotadieresistonos Alpha Beta Gamma Deltagreek Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho
03A3 Sigma Tau Upsilon Phi Chi Psi Omegagreek Iotadieresis Upsilondieresis alphatonos epsilontonos etatonos iotatonos
03B0 upsilondieresistonos alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mugreek nu xi omicron pi rho
03C2 sigma1|sigmafinal sigma tau upsilon phi chi psi omega iotadieresis upsilondieresis omicrontonos upsilontonos omegatonos
03D0 betasymbolgreek theta1|thetasymbolgreek|vartheta Upsilon1|Upsilonhooksymbol Upsilonacutehooksymbolgreek
03D4 Upsilondieresishooksymbolgreek phi1|phisymbolgreek|varphi omega1|pisymbolgreek|varpi - - - Stigmagreek - Digammagreek
03DD digamma Koppagreek - Sampigreek - Sheicoptic sheicoptic Feicoptic feicoptic Kheicoptic kheicoptic Horicoptic horicoptic
03EA Gangiacoptic gangiacoptic Shimacoptic shimacoptic Deicoptic deicoptic kappa1|kappasymbolgreek|varkappa
03F1 rho1|rhosymbolgreek|varrho sigmalunatesymbolgreek yotgreek - epsilon1 epsiloninv
0401 afii10023|Iocyrillic afii10051|Djecyrillic afii10052|Gjecyrillic afii10053|Ecyrillic afii10054|Dzecyrillic
0406 afii10055|Icyrillic afii10056|Yicyrillic afii10057|Jecyrillic afii10058|Ljecyrillic afii10059|Njecyrillic
040B afii10060|Tshecyrillic afii10061|Kjecyrillic - afii10062|Ushortcyrillic afii10145|Dzhecyrillic afii10017|Acyrillic
0411 afii10018|Becyrillic afii10019|Vecyrillic afii10020|Gecyrillic afii10021|Decyrillic afii10022|Iecyrillic
0416 afii10024|Zhecyrillic afii10025|Zecyrillic afii10026|Iicyrillic afii10027|Iishortcyrillic afii10028|Kacyrillic
041B afii10029|Elcyrillic afii10030|Emcyrillic afii10031|Encyrillic afii10032|Ocyrillic afii10033|Pecyrillic
0420 afii10034|Ercyrillic afii10035|Escyrillic afii10036|Tecyrillic afii10037|Ucyrillic afii10038|Efcyrillic
0425 afii10039|Khacyrillic afii10040|Tsecyrillic afii10041|Checyrillic afii10042|Shacyrillic afii10043|Shchacyrillic
042A afii10044|Hardsigncyrillic afii10045|Yericyrillic afii10046|Softsigncyrillic afii10047|Ereversedcyrillic
042E afii10048|IUcyrillic afii10049|IAcyrillic afii10065|acyrillic afii10066|becyrillic afii10067|vecyrillic
0433 afii10068|gecyrillic afii10069|decyrillic afii10070|iecyrillic afii10072|zhecyrillic afii10073|zecyrillic
0438 afii10074|iicyrillic afii10075|iishortcyrillic afii10076|kacyrillic afii10077|elcyrillic afii10078|emcyrillic
043D afii10079|encyrillic afii10080|ocyrillic afii10081|pecyrillic afii10082|ercyrillic afii10083|escyrillic
0442 afii10084|tecyrillic afii10085|ucyrillic afii10086|efcyrillic afii10087|khacyrillic afii10088|tsecyrillic
0447 afii10089|checyrillic afii10090|shacyrillic afii10091|shchacyrillic afii10092|hardsigncyrillic afii10093|yericyrillic
044C afii10094|softsigncyrillic afii10095|ereversedcyrillic afii10096|iucyrillic afii10097|iacyrillic - afii10071|iocyrillic
0452 afii10099|djecyrillic afii10100|gjecyrillic afii10101|ecyrillic afii10102|dzecyrillic afii10103|icyrillic
0457 afii10104|yicyrillic afii10105|jecyrillic afii10106|ljecyrillic afii10107|njecyrillic afii10108|tshecyrillic
045C afii10109|kjecyrillic - afii10110|ushortcyrillic afii10193|dzhecyrillic Omegacyrillic omegacyrillic afii10146|Yatcyrillic
0463 afii10194|yatcyrillic Eiotifiedcyrillic eiotifiedcyrillic Yuslittlecyrillic yuslittlecyrillic Yuslittleiotifiedcyrillic
0469 yuslittleiotifiedcyrillic Yusbigcyrillic yusbigcyrillic Yusbigiotifiedcyrillic yusbigiotifiedcyrillic Ksicyrillic
046F ksicyrillic Psicyrillic psicyrillic afii10147|Fitacyrillic afii10195|fitacyrillic afii10148|Izhitsacyrillic
0475 afii10196|izhitsacyrillic Izhitsadblgravecyrillic izhitsadblgravecyrillic Ukcyrillic ukcyrillic Omegaroundcyrillic
047B omegaroundcyrillic Omegatitlocyrillic omegatitlocyrillic Otcyrillic otcyrillic Koppacyrillic koppacyrillic thousandcyrillic
0483 titlocyrilliccmb palatalizationcyrilliccmb dasiapneumatacyrilliccmb psilipneumatacyrilliccmb
0490 afii10050|Gheupturncyrillic afii10098|gheupturncyrillic Ghestrokecyrillic ghestrokecyrillic Ghemiddlehookcyrillic
0495 ghemiddlehookcyrillic Zhedescendercyrillic zhedescendercyrillic Zedescendercyrillic zedescendercyrillic Kadescendercyrillic
049B kadescendercyrillic Kaverticalstrokecyrillic kaverticalstrokecyrillic Kastrokecyrillic kastrokecyrillic Kabashkircyrillic
04A1 kabashkircyrillic Endescendercyrillic endescendercyrillic Enghecyrillic enghecyrillic Pemiddlehookcyrillic
04A7 pemiddlehookcyrillic Haabkhasiancyrillic haabkhasiancyrillic Esdescendercyrillic esdescendercyrillic Tedescendercyrillic
04AD tedescendercyrillic Ustraightcyrillic ustraightcyrillic Ustraightstrokecyrillic ustraightstrokecyrillic Hadescendercyrillic
04B3 hadescendercyrillic Tetsecyrillic tetsecyrillic Chedescendercyrillic chedescendercyrillic Cheverticalstrokecyrillic
04B9 cheverticalstrokecyrillic Shhacyrillic shhacyrillic Cheabkhasiancyrillic cheabkhasiancyrillic Chedescenderabkhasiancyrillic
04BF chedescenderabkhasiancyrillic palochkacyrillic Zhebrevecyrillic zhebrevecyrillic Kahookcyrillic kahookcyrillic
04C7 Enhookcyrillic enhookcyrillic - - Chekhakassiancyrillic chekhakassiancyrillic - - - Abrevecyrillic abrevecyrillic
04D2 Adieresiscyrillic adieresiscyrillic Aiecyrillic aiecyrillic Iebrevecyrillic iebrevecyrillic Schwacyrillic
04D9 afii10846|schwacyrillic Schwadieresiscyrillic schwadieresiscyrillic Zhedieresiscyrillic zhedieresiscyrillic
04DE Zedieresiscyrillic zedieresiscyrillic Dzeabkhasiancyrillic dzeabkhasiancyrillic Imacroncyrillic imacroncyrillic
04E4 Idieresiscyrillic idieresiscyrillic Odieresiscyrillic odieresiscyrillic Obarredcyrillic obarredcyrillic
04EA Obarreddieresiscyrillic obarreddieresiscyrillic - - Umacroncyrillic umacroncyrillic Udieresiscyrillic udieresiscyrillic
04F2 Uhungarumlautcyrillic uhungarumlautcyrillic Chedieresiscyrillic chedieresiscyrillic - - Yerudieresiscyrillic
04F9 yerudieresiscyrillic
05D2 gimel
1D40 intercal
1E00 Aringbelow aringbelow Bdotaccent bdotaccent Bdotbelow bdotbelow Blinebelow blinebelow Ccedillaacute ccedillaacute
1E0A Ddotaccent ddotaccent Ddotbelow ddotbelow Dlinebelow dlinebelow Dcedilla dcedilla Dcircumflexbelow dcircumflexbelow
1E14 Emacrongrave emacrongrave Emacronacute emacronacute Ecircumflexbelow ecircumflexbelow Etildebelow etildebelow Ecedillabreve
1E1D ecedillabreve Fdotaccent fdotaccent Gmacron gmacron Hdotaccent hdotaccent Hdotbelow hdotbelow Hdieresis hdieresis Hcedilla
1E29 hcedilla Hbrevebelow hbrevebelow Itildebelow itildebelow Idieresisacute idieresisacute Kacute kacute Kdotbelow kdotbelow
1E34 Klinebelow klinebelow Ldotbelow ldotbelow Ldotbelowmacron ldotbelowmacron Llinebelow llinebelow Lcircumflexbelow
1E3D lcircumflexbelow Macute macute Mdotaccent mdotaccent Mdotbelow mdotbelow Ndotaccent ndotaccent Ndotbelow ndotbelow
1E48 Nlinebelow nlinebelow Ncircumflexbelow ncircumflexbelow Otildeacute otildeacute Otildedieresis otildedieresis Omacrongrave
1E51 omacrongrave Omacronacute omacronacute Pacute pacute Pdotaccent pdotaccent Rdotaccent rdotaccent Rdotbelow rdotbelow
1E5C Rdotbelowmacron rdotbelowmacron Rlinebelow rlinebelow Sdotaccent sdotaccent Sdotbelow sdotbelow Sacutedotaccent
1E65 sacutedotaccent Scarondotaccent scarondotaccent Sdotbelowdotaccent sdotbelowdotaccent Tdotaccent tdotaccent Tdotbelow
1E6D tdotbelow Tlinebelow tlinebelow Tcircumflexbelow tcircumflexbelow Udieresisbelow udieresisbelow Utildebelow utildebelow
1E76 Ucircumflexbelow ucircumflexbelow Utildeacute utildeacute Umacrondieresis umacrondieresis Vtilde vtilde Vdotbelow vdotbelow
1E80 Wgrave wgrave Wacute wacute Wdieresis wdieresis Wdotaccent wdotaccent Wdotbelow wdotbelow Xdotaccent xdotaccent Xdieresis
1E8D xdieresis Ydotaccent ydotaccent Zcircumflex zcircumflex Zdotbelow zdotbelow Zlinebelow zlinebelow hlinebelow tdieresis
1E98 wring yring arighthalfring slongdotaccent
1EA0 Adotbelow adotbelow Ahookabove ahookabove Acircumflexacute acircumflexacute Acircumflexgrave acircumflexgrave
1EA8 Acircumflexhookabove acircumflexhookabove Acircumflextilde acircumflextilde Acircumflexdotbelow acircumflexdotbelow
1EAE Abreveacute abreveacute Abrevegrave abrevegrave Abrevehookabove abrevehookabove Abrevetilde abrevetilde Abrevedotbelow
1EB7 abrevedotbelow Edotbelow edotbelow Ehookabove ehookabove Etilde etilde Ecircumflexacute ecircumflexacute Ecircumflexgrave
1EC1 ecircumflexgrave Ecircumflexhookabove ecircumflexhookabove Ecircumflextilde ecircumflextilde Ecircumflexdotbelow
1EC7 ecircumflexdotbelow Ihookabove ihookabove Idotbelow idotbelow Odotbelow odotbelow Ohookabove ohookabove Ocircumflexacute
1ED1 ocircumflexacute Ocircumflexgrave ocircumflexgrave Ocircumflexhookabove ocircumflexhookabove Ocircumflextilde
1ED7 ocircumflextilde Ocircumflexdotbelow ocircumflexdotbelow Ohornacute ohornacute Ohorngrave ohorngrave Ohornhookabove
1EDF ohornhookabove Ohorntilde ohorntilde Ohorndotbelow ohorndotbelow Udotbelow udotbelow Uhookabove uhookabove Uhornacute
1EE9 uhornacute Uhorngrave uhorngrave Uhornhookabove uhornhookabove Uhorntilde uhorntilde Uhorndotbelow uhorndotbelow Ygrave
1EF3 ygrave Ydotbelow ydotbelow Yhookabove yhookabove Ytilde ytilde
2002 enspace
200B zerowidthspace zerowidthnonjoiner|afii61664|compwordmark afii301 afii299 afii300 hyphentwo - figuredash endash|rangedash
2014 emdash|punctdash horizontalbar|afii00208 dblverticalbar|bardbl underscoredbl|dbllowline quoteleft quoteright quotesinglbase
201B quotereversed|quoteleftreversed quotedblleft quotedblright quotedblbase - dagger daggerdbl bullet - onedotenleader
2025 twodotenleader|twodotleader ellipsis
202C afii61573 afii61574 afii61575 - perthousand - minute|prime second - primereversed|primereverse - - - guilsinglleft
203A guilsinglright referencemark exclamdbl - overline - tie - asterism - fraction
2070 zerosuperior - - - foursuperior fivesuperior sixsuperior sevensuperior eightsuperior ninesuperior plussuperior
207C equalsuperior parenleftsuperior parenrightsuperior nsuperior zeroinferior oneinferior twoinferior threeinferior
2084 fourinferior fiveinferior sixinferior seveninferior eightinferior nineinferior - - - parenleftinferior parenrightinferior
20A1 colonmonetary|colonsign cruzeiro franc lira|afii08941 - - peseta - won sheqel|newsheqelsign|afii57636|sheqelhebrew dong
20AC Euro|euro
20D7 vector
2103 centigrade - careof|afii61248 - - - fahrenheit
210F planckover2pi|planckover2pi1 - Ifraktur|Ifractur - lsquare|afii61289|lscript - - numero|afii61352 - weierstrass
211C Rfraktur|Rfractur - prescription - - telephone trademark - - - Omega|Ohm
212B angstrom - - estimated - - - Finv - - aleph beth - daleth
2153 onethird twothirds
215B oneeighth threeeighths fiveeighths seveneighths - Oneroman Tworoman Threeroman Fourroman Fiveroman Sixroman Sevenroman
2167 Eightroman Nineroman Tenroman Elevenroman Twelveroman
2170 oneroman tworoman threeroman fourroman fiveroman sixroman sevenroman eightroman nineroman tenroman elevenroman twelveroman
2190 arrowleft arrowup arrowright arrowdown arrowboth|arrowleftright arrowupdn|arrowupdown|arrowbothv arrowupleft|arrownorthwest
2197 arrowupright|arrownortheast arrowdownright|arrowsoutheast arrowdownleft|arrowsouthwest notarrowleft notarrowright
219E dblarrowheadleft - dblarrowheadright - arrowtailleft arrowtailright - - mapsto - arrowupdnbse|arrowupdownbase
21A9 arrowhookright arrowhookleft curlyleft curlyright squiggleleftright - - shiftleft shiftright - - - carriagereturn
21BA anticlockwise clockwise harpoonleftbarbup|arrowlefttophalf|harpoonleftup arrowleftbothalf|harpoonleftdown harpoonupright
21BF harpoonupleft harpoonrightbarbup|arrowrighttophalf|harpoonrightup arrowrightbothalf|harpoonrightdown harpoondownright
21C3 harpoondownleft arrowrightoverleft|arrowparrrightleft arrowupleftofdown arrowleftoverright|arrowparrleftright - dblarrowup
21CA dblarrowdwn harpoonleftright harpoonrightleft arrowleftdblstroke - arrowrightdblstroke arrowdblleft|arrowleftdbl arrowdblup
21D2 arrowdblright|dblarrowright arrowdbldown arrowdblboth|dblarrowleft arrowdblupdown|arrowdblbothv
21DA arrowtripleleft arrowtripleright - squiggleright pageup pagedown arrowdashleft arrowdashup arrowdashright arrowdashdown
21E4 arrowtableft arrowtabright arrowleftwhite arrowupwhite arrowrightwhite arrowdownwhite capslock
2200 universal|forall complement partialdiff existential|thereexists notexistential emptyset Delta|increment gradient|nabla
2208 element notelement|notelementof - suchthat|owner notcontains - - product coproduct summation minus minusplus dotplus
2215 divisionslash setminus|backslashbig|backslashBig|backslashbigg|backslashBigg asteriskmath ringoperator bulletoperator
221A radical|radicalbt - - proportional infinity orthogonal|rightangle angle measuredangle sphericalangle divides notbar
2225 parallel notparallel logicaland logicalor intersection union integral dblintegral
222E contourintegral|contintegraldisplay|contintegraltext
2234 therefore because ratio proportion
223C similar|tildeoperator reversedtilde|revsimilar - - wreathproduct notsimilar - asymptoticallyequal|similarequal
2245 congruent|approximatelyequal - - approxequal - - - allequal equivasymptotic geomequivalent difference approaches
2251 geometricallyequal|equalsdots approxequalorimage|equaldotleftright imageorapproximatelyequal|equaldotrightleft
2256 ringinequal circleequal
225C defines - - - notequal equivalence notidentical - lessequal greaterequal lessoverequal|lessdblequal
2267 greateroverequal|greaterdblequal lessornotequal greaterornotequal muchless|lessmuch muchgreater|greatermuch between
226E notless notgreater notlessnorequal|notlessequal notgreaternorequal|notgreaterequal lessorequivalent|lessorsimilar
2273 greaterorequivalent|greaterorsimilar - - lessorgreater greaterorless - notgreaternorless precedes succeeds|follows
227C precedesorcurly followsorcurly precedesorequal followsorequal notprecedes notsucceeds|notfollows propersubset|subset
2283 propersuperset|superset notsubset notsuperset reflexsubset|subsetorequal reflexsuperset|supersetorequal - - subsetnotequal
228B supersetnotequal - - unionmulti squareimage squareoriginal subsetsqequal supersetsqequal intersectionsq unionsq
2295 circleplus|pluscircle circleminus|minuscircle circlemultiply|timescircle circledivide circleot|circledot circlering
229B circleasterisk - - squareplus squareminus squaremultiply squaredot turnstileleft tackleft|turnstileright
22A4 tackdown|latticetop perpendicular|bottom - - satisfies forces forcesbar - notturnstile notsatisfies notforces
22B4 triangleleftequal trianglerightequal - - multimap - - orunderscore nand - - righttriangle
22C2 intersectiondisplay|intersectiontext uniondisplay|uniontext diamondmath dotmath star - - multicloseleft multicloseright
22CB multiopenleft multiopenright - curlyor|downfall curlyand|uprise subsetdbl supersetdbl intersectiondbl uniondbl - - lessdot
22D7 greaterdot - - lessequalorgreater|lessequalgreater greaterequalorless|greaterlessequal - - equalorprecedes equalorfollows
22EE ellipsisvertical
2302 house control - projective perpcorrespond - ceilingleft ceilingright floorleft floorright
2310 revlogicalnot|logicalnotreversed - arc - - telephonerecorder - - propellor - - - rightanglenw rightanglene rightanglesw
231F rightanglese integraltp|integraltop integralbt|integralbottom slurabove|frown slurbelow|smile - option deleteright clear
2329 angleleft angleright deleteleft
2423 visiblespace|blank|openbox
2460 onecircle twocircle threecircle fourcircle fivecircle sixcircle sevencircle eightcircle ninecircle tencircle
24C8 circleS
2500 SF100000 - SF110000
250C SF010000 - - - SF030000 - - - SF020000 - - - SF040000 - - - SF080000
2524 SF090000
252C SF060000
2534 SF070000
253C SF050000
2550 SF430000 SF240000 SF510000 SF520000 SF390000 SF220000 SF210000 SF250000 SF500000 SF490000 SF380000 SF280000 SF270000
255D SF260000 SF360000 SF370000 SF420000 SF190000 SF200000 SF230000 SF470000 SF480000 SF410000 SF450000 SF460000 SF400000
256A SF540000 SF530000 SF440000
2580 upblock - - - dnblock - - - block - - - lfblock - - - rtblock ltshade|shadelight shade|shademedium dkshade|shadedark
25A0 filledbox|blacksquare|squaresolid H22073|whitesquare|square
25A3 whitesquarecontainingblacksmallsquare|squarewhitewithsmallblack squarehorizontalfill squareverticalfill
25A6 squareorthogonalcrosshatchfill squareupperlefttolowerrightfill squareupperrighttolowerleftfill squarediagonalcrosshatchfill
25AA blacksmallsquare|H18543 whitesmallsquare|H18551 filledrect|blackrectangle
25B2 triagup|blackuppointingtriangle whiteuppointingtriangle|triangle blackuppointingsmalltriangle whiteuppointingsmalltriangle
25B6 blackrightpointingtriangle whiterightpointingtriangle|triangleright - whiterightpointingsmalltriangle
25BA triagrt|blackrightpointingpointer - triagdn|blackdownpointingtriangle whitedownpointingtriangle|triangleinv
25BF whitedownpointingsmalltriangle blackleftpointingtriangle whiteleftpointingtriangle|triangleleft
25C3 whiteleftpointingsmalltriangle triaglf|blackleftpointingpointer - blackdiamond whitediamond
25C8 whitediamondcontainingblacksmalldiamond fisheye lozenge circle|whitecircle dottedcircle - bullseye H18533|blackcircle
25D0 circlewithlefthalfblack circlewithrighthalfblack
25D8 invbullet|bulletinverse invcircle|whitecircleinverse
25E2 blacklowerrighttriangle blacklowerlefttriangle blackupperlefttriangle blackupperrighttriangle openbullet|whitebullet
25EF largecircle
2605 blackstar whitestar
260E telephoneblack whitetelephone
261C pointingindexleftwhite pointingindexupwhite pointingindexrightwhite pointingindexdownwhite
262F yinyang
263A smileface|whitesmilingface invsmileface|blacksmilingface sun|compass - - - female|venus earth male|mars
2660 spade|spadesuitblack heartsuitwhite diamondsuitwhite club|clubsuitblack spadesuitwhite heart|heartsuitblack
2666 diamond|diamondsolid clubsuitwhite hotsprings quarternote musicalnote musicalnotedbl|eighthnotebeamed beamedsixteenthnotes
266D musicflatsign|flat natural musicsharpsign|sharp
2713 checkmark|check - - - multiplicationxheavy
2720 maltesecross
278A onecircleinversesansserif twocircleinversesansserif threecircleinversesansserif fourcircleinversesansserif
278E fivecircleinversesansserif sixcircleinversesansserif sevencircleinversesansserif eightcircleinversesansserif
2792 ninecircleinversesansserif
279E arrowrightheavy
2A7D lessorequalslant greaterorequalslant
2A85 lessorapproxeql greaterorapproxeql
2A95 equalorless equalorgreater
2AAF precedesequal followsequal
2AC5 subsetdblequal supersetdblequal
3008 angbracketleft|anglebracketleft angbracketright|anglebracketright
`;

const ligatures: readonly (readonly [string, string])[] = [
  ...['ff', 'fi', 'fl', 'ffi', 'ffl'].map((name) => [name, name] as const),
  ['Germandbls', 'SS'],
];

const characters: ReadonlyMap<string, string> = new Map([...ligatures, ...charactersIn(names)]);

function* charactersIn(lines: string): Generator<readonly [string, string]> {
  for (const line of lines.trim().split('\n')) {
    const [first, ...rest] = line.split(' ');
    const start = Number.parseInt(first!, 16);
    for (const [index, same] of rest.entries()) {
      if (same === '-') continue;
      for (const name of same.split('|')) yield [name, String.fromCodePoint(start + index)];
    }
  }
}

/* Encodings. */

/** The text of each of the 256 codes of the encodings that PDF defines; undefined where a code shows nothing. */
export const encodings: Readonly<Record<EncodingName, readonly (string | undefined)[]>> = {
  StandardEncoding: standardEncoding(),
  WinAnsiEncoding: winAnsiEncoding(),
  MacRomanEncoding: macRomanEncoding(),
};

function ascii(): (string | undefined)[] {
  return Array.from({ length: 256 }, (_, code) => (code >= 0x20 && code < 0x7f ? String.fromCodePoint(code) : undefined));
}

/** Sets the codes from one on, a character each; a space leaves its code as it is. */
function put(codes: (string | undefined)[], from: number, text: string): void {
  for (const [index, character] of text.split('').entries()) {
    if (character !== ' ') codes[from + index] = lettersOf(character);
  }
}

function lettersOf(character: string): string {
  if (character === 'ﬁ') return 'fi';
  return character === 'ﬂ' ? 'fl' : character;
}

function standardEncoding(): (string | undefined)[] {
  const codes = ascii();
  put(codes, 0x27, '’');
  put(codes, 0x60, '‘');
  put(codes, 0xa1, "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ –†‡· ¶•‚„”»…‰ ¿ `´ˆ˜¯˘˙¨ ˚¸ ˝˛ˇ—");
  put(codes, 0xe1, 'Æ ª    ŁØŒº     æ   ı  łøœß');
  return codes;
}

function winAnsiEncoding(): (string | undefined)[] {
  const codes = ascii();
  codes.fill('•', 0x7f, 0xa0);
  put(codes, 0x80, '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ');
  for (let code = 0xa0; code < 256; code++) codes[code] = String.fromCodePoint(code);
  codes[0xa0] = ' ';
  codes[0xad] = '-';
  return codes;
}

/** With the mathematical characters of Mac OS, which TrueType fonts have at codes that the encoding proper leaves out. */
function macRomanEncoding(): (string | undefined)[] {
  const codes = ascii();
  put(codes, 0x80, 'ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø');
  put(codes, 0xc0, '¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄¤‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ');
  codes[0xca] = ' ';
  return codes;
}
