import { gzipSync } from 'node:zlib';
import { readJsonl } from '../../../src/data/formats/jsonl/jsonl.ts';
import type { JsonlOptions } from '../../../src/data/formats/jsonl/jsonl.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();

const read = async (text: string | Uint8Array, options: JsonlOptions = {}) =>
  readJsonl(await folder.file('x.jsonl', text), options);

describe('JSON lines', () => {
  it('reads an array of features per line, with labels of words or numbers', async () => {
    const split = await read('{"features": [1, 2.5], "label": "b"}\n\n{"label": 7, "features": [3, 4]}\n');
    expect([...split.samples]).toEqual([1, 2.5, 3, 4]);
    expect(split.sampleShape).toEqual([2]);
    expect(split.labels).toMatchObject({ names: ['b', '7'], values: Int32Array.of(0, 1) });
  });

  it('reads a number per key, in the order of the first line', async () => {
    const text = '{"b": 1, "kind": "x", "a": true}\n{"a": 4, "b": 3, "kind": "y"}';
    const split = await read(text, { label: 'kind' });
    expect(split.columns).toEqual(['b', 'a']);
    expect([...split.samples]).toEqual([1, 1, 3, 4]);
    expect((await read(text, { label: 'kind', features: ['a'] })).columns).toEqual(['a']);
    expect([...(await read(text, { label: 'kind', features: 'b' })).samples]).toEqual([1, 3]);
  });

  it('reads nested arrays as pictures', async () => {
    const split = await read('{"image": [[1, 2, 3], [4, 5, 6]], "label": 0}', { features: 'image' });
    expect(split.sampleShape).toEqual([2, 3]);
    const rgb = await read('{"features": [[[1, 2, 3], [4, 5, 6]]], "label": 0}');
    expect(rgb.sampleShape).toEqual([1, 2, 3]);
    expect([...rgb.samples]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads gzip, a byte order mark, carriage returns and letters that straddle two chunks', async () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `ä${'€'.repeat(i % 7)}`);
    const text = names.map((name) => JSON.stringify({ features: [1], label: name })).join('\r\n');
    for (const bytes of [Buffer.from(`\uFEFF${text}`), gzipSync(text)]) {
      const { labels } = await read(bytes);
      expect(labels).toMatchObject({ names: names.slice(0, 7) });
      expect(labels.values).toHaveLength(30_000);
    }
  });

  it('refuses labels whose last digits are lost', async () => {
    const text = ['9007199254740992', '9007199254740993', '1'].map((label) => `{"a": 1, "label": ${label}}`).join('\n');
    const { message } = await userError(read(text));
    expect(message).toMatch(/x\.jsonl:1: the label 9007199254740992 has more digits than JSON's numbers keep$/);
    expect((await read(text, { task: 'regression' })).labels).toMatchObject({ names: ['9007199254740992', '1'] });
  });

  it.each<[string, string, JsonlOptions, RegExp]>([
    [
      'labels of a list',
      '{"a": 1, "label": [3, 9007199254740993]}',
      { task: 'multi-label' },
      /:1: the label 9007199254740992 has/,
    ],
    [
      'words of a column',
      '{"a": 9007199254740993, "label": 1}',
      { categorical: ['a'] },
      /:1: the word of "a" 9007199254740992 has/,
    ],
  ])('refuses %s whose last digits are lost', async (_, text, options, message) => {
    expect((await userError(read(text, options))).message).toMatch(message);
    const quoted = text.replace('9007199254740993', '"9007199254740993"');
    await expect(read(quoted, options)).resolves.toBeDefined();
    // Numbers to calculate with have as many digits as float32 has, whatever is written.
    await expect(read(text, { task: 'regression' })).resolves.toBeDefined();
  });

  it('treats null and absent keys as missing values', async () => {
    const text = '{"a": 1, "b": 2, "label": "x"}\n{"a": null, "label": "y"}\n';
    expect([...(await read(text, { missing: 'zero' })).samples]).toEqual([1, 2, 0, 0]);
    const { message } = await userError(read(text));
    expect(message).toMatch(/x\.jsonl:2: column "a": missing value \(null\)$/);
  });

  it.each<[string, string, RegExp, RegExp, JsonlOptions?]>([
    ['text', '{"features": [1], "label": 1}\n{"features": [1], ', /:2: not valid JSON: /, /one whole object per line/],
    ['an array', '[1, 2]', /:1: expected an object, received \[1,2\]$/, /one whole object on each line/],
    [
      'no label',
      '{"features": [1], "lable": 1}',
      /:1: no key "label", the line has: features, lable$/,
      /Did you mean "lable"\?/,
    ],
    [
      'an object as label',
      '{"features": [1], "label": {"a": 1}}',
      /:1: the label is \{"a":1\}$/,
      /a word or a class index/,
    ],
    [
      'fewer values',
      '{"features": [1, 2], "label": 1}\n{"features": [1], "label": 1}',
      /:2: "features" has 1 values, in the first line 2$/,
      /same number/,
    ],
    [
      'ragged rows',
      '{"features": [[1, 2], [3]], "label": 1}',
      /:1: expected a list of numbers, or rows of equal length/,
      /\[row\]\[column\]/,
    ],
    [
      'a word',
      '{"features": [1, "two"], "label": 1}',
      /:1: column "features\[1\]": expected a number, received "two"$/,
      /features/,
    ],
    [
      'no such key',
      '{"a": 1, "label": 1}',
      /:1: no key "b", the line has: a, label$/,
      /`features`/,
      { features: ['b'] },
    ],
    ['only a label', '{"label": 1}', /no feature columns, only a label$/, /`label`/],
    ['blank lines', '\n\n', /x\.jsonl: no rows of data$/, /with samples/],
    ['nothing', '', /the file is empty/, /again/],
    ['too large a number', '{"a": 1e300, "label": 1}', /column "a": 1e\+300 is no finite float32 number$/, /Correct/],
  ])('rejects %s', async (_, text, message, hint, ...options) => {
    const error = await userError(read(text, ...options));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});

it.each<[string, string, RegExp, RegExp]>([
  ['a label of an object', '{"a": 1, "label": {}}', /:1: the label is \{\}$/, /a word or a class index/],
  ['a list that is not named', '{"x": [1, 2], "label": 1}', /:1: "x" is a list, expected a number/, /`features: x`/],
  [
    'a row without the list',
    '{"features": [1], "label": 1}\n{"label": 0}',
    /:2: no key "features", the line has: label$/,
    /Set `features` to a key/,
  ],
  [
    'another shape of the same size',
    '{"features": [[1, 2], [3, 4]], "label": 1}\n{"features": [[1, 2, 3, 4]], "label": 0}',
    /:2: "features" is \[1, 4\], in the first line \[2, 2\]$/,
    /the same shape/,
  ],
  [
    'a picture with a shorter and a longer row',
    '{"features": [[1, 2], [3, 4], [5, 6]], "label": 1}\n{"features": [[1, 2], [3], [4, 5, 6]], "label": 0}',
    /:2: expected a list of numbers, or rows of equal length, received \[\[1,2\],\[3\],\[4,5,6\]\]$/,
    /\[row\]\[column\]/,
  ],
  [
    'a feature that only a later line has',
    '{"a": 1, "label": 1}\n{"a": 2, "b": 3, "label": 0}',
    /:2: the key "b" is not in the first line, whose keys are the features: a$/,
    /Name the keys to read as `features`/,
  ],
])('refuses %s', async (_name, text, message, hint) => {
  const error = await userError(read(text));
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(hint);
});

describe('a list of labels', () => {
  const labelsOf = async (list: string, task: 'multi-label' | 'regression' = 'multi-label') => {
    const { labels } = await read(`{"a": 1, "label": ${list}}\n`, { task });
    return labels.kind === 'name' ? labels.names : labels.kind;
  };

  it('is read as the text of a column that lists them', async () => {
    expect(await labelsOf('["red", 2, true]')).toEqual(['red|2|true']);
    expect(await labelsOf('[1.5, 2]', 'regression')).toEqual(['1.5|2']);
    expect(await labelsOf('[]')).toEqual(['']);
  });

  it.each([
    [
      '["red|round"]',
      /:1: the label "red\|round" holds "\|", which separates the labels of a list$/,
      /Set `separator`/,
    ],
    ['["red", null]', /:1: the list of labels holds null$/, /Supported are one class/],
    ['[["red"]]', /:1: the list of labels holds \["red"\]$/, /Supported are one class/],
  ])('is refused as %s', async (list, message, hint) => {
    const error = await userError(labelsOf(list));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});
