import { tokenizerScript } from '../../../src/ship/kit/portable.ts';
import { inV8 } from '../../support/engines.ts';
import { answersOf, callsFor, cuttings, everyForm } from '../../support/tokenizer-forms.ts';
import { SENTENCES, textsOfMany } from '../../support/texts.ts';

let script = '';
beforeAll(async () => {
  script = await tokenizerScript();
});

it('gives the ids of the library in an engine that knows nothing but the language, for every kind of tokenizer', () => {
  const texts = [...textsOfMany(10), '\ufeffa\ud800b', ''];
  const forms = everyForm();
  expect(forms.length).toBeGreaterThan(50);
  for (const one of forms) {
    // As text: jest compares long lists of numbers slowly.
    const found = JSON.stringify(inV8(script, callsFor(one, texts)));
    expect([one.name, found]).toEqual([one.name, JSON.stringify(answersOf(one, texts))]);
  }
});

it('cuts texts into the words of the library', () => {
  const { calls, words } = cuttings([...SENTENCES, 'a:b c.d 1:2 1.2 e：f g．h U.S.']);
  expect(inV8(script, calls)).toEqual(words);
});

it('says what it was given wrongly', () => {
  const form = { tokenizer: 'bytes', texts: 2, length: 8, truncate: 'end', vocabulary: 258, padding: 0 };
  expect(
    inV8(script, [
      ['encode', '["a"]'],
      ['open', JSON.stringify({ ...form, tokenizer: 'tokenizer.json' }), 'null'],
      ['open', JSON.stringify({ ...form, length: 1 }), 'null'],
      ['open', JSON.stringify(form), 'null'],
      ['encode', '["a"]'],
      ['encode', '["a", "b"]'],
    ]),
  ).toEqual([
    { error: expect.stringContaining('no tokenizer is open') as string },
    { error: 'expected the content of tokenizer.json' },
    { error: expect.stringContaining('no room') as string },
    {},
    { error: 'expected a list of 2, received one of 1' },
    { ids: [98, 257, 99, 0, 0, 0, 0, 0], tokens: 3 },
  ]);
});
