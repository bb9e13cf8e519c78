import { RandomStream } from '../../src/base/random.ts';

/** A sentence or two of many languages and scripts. */
export const SENTENCES = [
  'The quick brown fox jumps over the lazy dog; it doesn’t care, it’s 3.14 times as fast!',
  "I'd've thought that you'll see what we're doing: they can't, won't, and shouldn't.",
  'Why was my card declined at the ATM? I have tried 2 times, and $1,000.50 are still missing...',
  'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Übermäßig ÄÖÜ äöü STRASSE ß ẞ',
  'Portez ce vieux whisky au juge blond qui fume; l’été, garçon, où êtes-vous? Œuvre ŒUVRE',
  'El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío: ¿añoraba? ¡Sí!',
  'Pchnąć w tę łódź jeża lub ośm skrzyń fig. ZAŻÓŁĆ GĘŚLĄ JAŹŃ',
  'Příliš žluťoučký kůň úpěl ďábelské ódy.',
  'Pijamalı hasta yağız şoföre çabucak güvendi. İSTANBUL ILIK ığdır',
  'Съешь же ещё этих мягких французских булок, да выпей чаю. ЁЖИК Йод',
  'Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п’яне знаємо.',
  'Ο ΟΔΥΣΣΕΥΣ και η θάλασσα. Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΛΟΓΟΣ ΣΟΦΟΣ',
  'صِف خَلقَ خَودِ كَمِثلِ الشَمسِ إِذ بَزَغَت ـ يَحظى الضَجيعُ بِها نَجلاءَ مِعطارِ ٠١٢٣٤٥',
  'דג סקרן שט בים מאוכזב ולפתע מצא חברה. שָׁלוֹם עֲלֵיכֶם',
  'ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले विष्णुवतार भगवान श्रीराम। १२३',
  'ประเทศไทยมีภูเขา น้ำตก และทะเลที่สวยงามมาก ๑๒๓',
  'いろはにほへと ちりぬるを。カタカナとﾊﾝｶｸ、漢字も１２３です！',
  '我能吞下玻璃而不伤身体。中国的首都是北京，2024年。𠀀𠀁𪜶',
  '다람쥐 헌 쳇바퀴에 타고파. 한국어 띄어쓰기',
  'ನನಗೆ ಕನ್ನಡ ಗೊತ್ತು. தமிழ் மொழி அழகானது. తెలుగు భాష',
  'ქართული ენა და ანბანი. Հայերեն լեզու։',
  'Tiếng Việt có nhiều dấu: ắ ằ ẳ ẵ ặ, ế ề ể ễ ệ. Đường phố',
  'አማርኛ ቋንቋ። ខ្មែរ ភាសា ລາວ မြန်မာ',
  'Emoji: 😀😃 👩‍👩‍👧‍👦 🇩🇪🏳️‍🌈 👍🏽 ❤️ ✨ 🫠 🪿 🛜',
  'ﬁne ﬂow Ⅷ ½ ² ³ ¼ ℌ ℃ ㎏ ～ ｆｕｌｌ ｗｉｄｔｈ ① ⓐ ｡',
  'e\u0301te\u0301 a\u0308o\u0308u\u0308 n\u0303 \u1112\u1161\u11ab Z\u0351\u036b\u0343algo',
  'func main() { x := map[string]int{"a": 1}; return x["a"] << 2 }\n\tif (a && b) || c: pass  # TODO',
  'https://example.org/path?query=1&b=%20#top user.name+tag@mail.example C:\\Windows\\x',
  '\u00a0 \u2003\u2009 \u200b\u200c\u200d\ufeff \u2028\u2029 \u0085 tab\tnew\nline\r\nend',
  '\u0001\u0007\u001f\u007f\u0080\u009f\u00ad\u061c\u200e\u202a\u2066\ue000\u{f0000}',
  '[CLS] [SEP] [PAD] [MASK] <s> </s> <unk> <mask> <x>  y <|endoftext|> [UNK] Limbeck card cards discard ÜBER Über',
];

/** Number of texts that tokenizers are compared on. */
export const TEXTS = Number(process.env['LIMBECK_TEXTS'] ?? 10_000);

/**
 * Texts of many scripts: sentences, mixtures of their words, and with `drawn` letters drawn from all of Unicode that is assigned for
 * long.
 */
export function textsOfMany(count: number, drawn = true): string[] {
  const random = new RandomStream('texts', drawn ? 'drawn' : 'words');
  const words = SENTENCES.flatMap((sentence) => sentence.split(' '));
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
  const letter = (): string => {
    const [first, last] = pick(BLOCKS);
    return String.fromCodePoint(first + random.below(last - first + 1));
  };
  const made = (i: number): string => {
    if (i < SENTENCES.length) return SENTENCES[i]!;
    const length = 1 + random.below(24);
    const kind = drawn ? random.below(8) : 2;
    const part = (): string => {
      if (kind === 0) return Array.from({ length: 1 + random.below(6) }, letter).join('');
      if (kind === 1) return pick(words) + (random.below(3) === 0 ? letter() : '');
      return pick(words);
    };
    const gap = (): string => (random.below(12) === 0 ? pick(['  ', '', '\n', '-', '\t']) : ' ');
    return Array.from({ length }, () => part() + gap()).join('');
  };
  return Array.from({ length: count }, (_, i) => made(i)).map((text) => (/\S/u.test(text) ? text : 'x'));
}

const BLOCKS: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0xa0, 0x24f],
  [0x250, 0x2af],
  [0x300, 0x36f],
  [0x391, 0x3a1],
  [0x3a3, 0x3ff],
  [0x400, 0x52f],
  [0x531, 0x556],
  [0x5d0, 0x5ea],
  [0x620, 0x669],
  [0x905, 0x939],
  [0x985, 0x98c],
  [0xe01, 0xe3a],
  [0x10d0, 0x10f0],
  [0x1100, 0x11ff],
  [0x1e00, 0x1eff],
  [0x2010, 0x2027],
  [0x2030, 0x205e],
  [0x20a0, 0x20bd],
  [0x2100, 0x214f],
  [0x2190, 0x23f3],
  [0x2460, 0x24ff],
  [0x2500, 0x27bf],
  [0x3001, 0x303f],
  [0x3041, 0x3096],
  [0x30a1, 0x30fa],
  [0x3300, 0x33ff],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
  [0xf900, 0xfa2d],
  [0xff01, 0xff5e],
  [0x1d400, 0x1d454],
  [0x1f300, 0x1f5ff],
  [0x20000, 0x2a6d6],
];
