import * as bare from '../../../../src/data/text/tokenizer/bare.ts';
import { RandomStream } from '../../../../src/base/random.ts';
import { textsOfMany } from '../../../support/texts.ts';

it('writes UTF-8 as the engine here does, halves of surrogate pairs too', () => {
  const [own, native] = [new bare.TextEncoder(), new TextEncoder()];
  for (const text of [...textsOfMany(300), '', 'a\ud800b', '\udc00\ud800', '\ufeff\u{10ffff}'])
    expect([...own.encode(text)]).toEqual([...native.encode(text)]);
});

it('reads UTF-8 as the engine here does, whatever the bytes', () => {
  const [own, native] = [new bare.TextDecoder(), new TextDecoder()];
  const random = new RandomStream('bytes');
  // Bytes that begin letters, follow others, and are at the borders of both.
  const most = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4,
    0xf5,
  ];
  for (let i = 0; i < 4000; i++) {
    const bytes = Uint8Array.from({ length: 1 + random.below(8) }, () => most[random.below(most.length)]!);
    expect([bytes, own.decode(bytes)]).toEqual([bytes, native.decode(bytes)]);
  }
  for (const text of textsOfMany(100))
    expect(own.decode(new TextEncoder().encode(text))).toBe(text.replace(/^\ufeff/, ''));
});

it('reads base64 as the engine here does, and refuses what is none', () => {
  const random = new RandomStream('base64');
  for (let size = 0; size < 40; size++) {
    const bytes = Uint8Array.from({ length: size }, () => random.below(256));
    const text = Buffer.from(bytes).toString('base64');
    for (const written of [text, text.replace(/=+$/, ''), text.replace(/(.{4})/g, '$1\n ')])
      expect(bare.atob(written)).toBe(atob(written));
  }
  for (const wrong of ['a', 'ab!=', '====', 'ab=c', 'abcd=']) {
    expect(() => atob(wrong)).toThrow();
    expect(() => bare.atob(wrong)).toThrow('not base64');
  }
});
