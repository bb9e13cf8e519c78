import type { Dataset } from '../../../src/data/dataset.ts';
import { configFiles, pipelineOf } from '../../../src/ship/transformers/config.ts';
import { wordPieces } from '../../support/tokenizer.ts';

const text = { tokenizer: 'tokenizer.json', texts: 1, length: 8, truncate: 'end', vocabulary: 60, padding: 0 };
const of = (change: object): Dataset =>
  ({
    task: 'classification',
    sampleShape: [4, 4, 1],
    samples: new Uint8Array(16),
    classNames: ['a', 'b'],
    ...change,
  }) as never;

it('finds the pipeline of a task, and refuses tasks and samples that none takes', () => {
  expect(pipelineOf(of({}))).toBe('image-classification');
  expect(pipelineOf(of({ text, sampleShape: [8] }))).toBe('text-classification');
  expect(pipelineOf(of({ text, sampleShape: [8], task: 'multi-label' }))).toBe('text-classification');
  expect(pipelineOf(of({ text, sampleShape: [8], task: 'tagging' }))).toBe('token-classification');
  expect(pipelineOf(of({ task: 'segmentation' }))).toBe('image-segmentation');
  expect(pipelineOf(of({ task: 'detection', fit: 'letterbox' }))).toBe('object-detection');
  expect(pipelineOf(of({ task: 'detection', sampleShape: [4, 6, 3] }))).toBe('object-detection');
  const refused: [object, RegExp][] = [
    [{ task: 'detection', fit: 'letterbox', sampleShape: [4, 6, 3] }, /in squares alone, and the model takes 4x6/],
    [{ task: 'multi-label' }, /pipelines give pictures one class, received several labels/],
    [{ text: { ...text, tokenizer: 'hashed' } }, /expected a tokenizer.json, received the tokenizer hashed/],
    [{ text: { ...text, texts: 2 } }, /received pairs of texts/],
    [{ sampleShape: [16] }, /expected pictures or texts, received samples of shape \[16\]/],
    [{ samples: new Float32Array(16) }, /expected pictures of 8 bits/],
  ];
  for (const [change, message] of refused) expect(() => pipelineOf(of(change))).toThrow(message);
});

it('writes what a pipeline reads, and completes a tokenizer that has no decoder', () => {
  const tokenizer = Buffer.from(JSON.stringify(wordPieces(['a'])));
  const files = configFiles('text-classification', of({ text, task: 'multi-label' }), tokenizer);
  const read = (name: string): unknown => JSON.parse(String(files.get(name)));
  expect(read('config.json')).toMatchObject({ model_type: 'bert', problem_type: 'multi_label_classification', id2label: { 0: 'a', 1: 'b' } });
  expect(read('tokenizer_config.json')).toMatchObject({ model_max_length: 8, pad_token: '[PAD]' });
  expect(read('tokenizer.json')).toMatchObject({ decoder: null, model: { type: 'WordPiece' } });
  const pictures = configFiles('image-classification', of({}), undefined);
  expect(JSON.parse(String(pictures.get('preprocessor_config.json')))).toMatchObject({ size: { height: 4, width: 4 }, do_rescale: false });
}); // prettier-ignore
