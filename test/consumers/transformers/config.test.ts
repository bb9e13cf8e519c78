import type { Dataset } from '../../../src/data/dataset.ts';
import { configFiles, pipelineOf } from '../../../src/consumers/transformers/config.ts';
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

it('finds the pipeline of a task, and refuses tasks and samples that none takes', async () => {
  expect((await pipelineOf(of({}))).pipeline).toBe('image-classification');
  expect((await pipelineOf(of({ text, sampleShape: [8] }))).pipeline).toBe('text-classification');
  expect((await pipelineOf(of({ text, sampleShape: [8], task: 'multi-label' }))).pipeline).toBe('text-classification');
  expect((await pipelineOf(of({ text, sampleShape: [8], task: 'tagging' }))).pipeline).toBe('token-classification');
  expect((await pipelineOf(of({ task: 'segmentation' }))).pipeline).toBe('image-segmentation');
  expect((await pipelineOf(of({ task: 'detection', fit: 'letterbox' }))).pipeline).toBe('object-detection');
  expect((await pipelineOf(of({ task: 'detection', sampleShape: [4, 6, 3] }))).pipeline).toBe('object-detection');
  const refused: [object, RegExp][] = [
    [{ task: 'detection', fit: 'letterbox', sampleShape: [4, 6, 3] }, /in squares alone, and the model takes 4x6/],
    [{ task: 'multi-label' }, /pipelines give pictures one class, received several labels/],
    [{ text: { ...text, tokenizer: 'hashed' } }, /expected a tokenizer.json, received the tokenizer hashed/],
    [{ text: { ...text, texts: 2 } }, /received pairs of texts/],
    [{ sampleShape: [16] }, /expected pictures or texts, received samples of shape \[16\]/],
    [{ samples: new Float32Array(16) }, /expected pictures of 8 bits/],
  ];
  for (const [change, message] of refused) await expect(pipelineOf(of(change))).rejects.toThrow(message);
});

it('writes what a pipeline reads, and completes a tokenizer that has no decoder', async () => {
  const tokenizer = Buffer.from(JSON.stringify(wordPieces(['a'])));
  const files = await configFiles('text-classification', of({ text, task: 'multi-label' }), tokenizer);
  const read = (name: string): unknown => JSON.parse(String(files.get(name)));
  expect(read('config.json')).toMatchObject({ model_type: 'bert', problem_type: 'multi_label_classification', id2label: { 0: 'a', 1: 'b' } });
  expect(read('tokenizer_config.json')).toMatchObject({ model_max_length: 8, pad_token: '[PAD]' });
  expect(read('tokenizer.json')).toMatchObject({ decoder: null, model: { type: 'WordPiece' } });
  const pictures = await configFiles('image-classification', of({}), undefined);
  expect(JSON.parse(String(pictures.get('preprocessor_config.json')))).toMatchObject({ size: { height: 4, width: 4 }, do_rescale: false });
}); // prettier-ignore
