import path from 'node:path';
import { hubModel } from '../../src/tools/compress/hub-model.ts';
import { temporaryFolder } from '../support/folder.ts';
import { hubFolder } from '../support/hub.ts';

const folder = temporaryFolder();

it('a folder says size, normalization and classes of the model that is compressed, and what differs', async () => {
  const preprocessor = { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 224 }, image_mean: [0.5, 0.5, 0.5], image_std: [1, 1, 1] }; // prettier-ignore
  await hubFolder(folder(), { preprocessor });
  const { file, shapes, stated, notes } = hubModel(folder());
  expect(file).toBe(path.join(folder(), 'onnx/model.onnx'));
  expect([...shapes]).toEqual([['pixel_values', [1, 3, 224, 224]]]);
  expect(stated).toEqual({ labels: ['cat', 'dog'], stated: { scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [1, 1, 1] } });
  expect(notes).toEqual([expect.stringMatching(/cuts the middle out of 256 and resizes by bilinear; pictures in a folder/)]);
  await hubFolder(folder(), { architecture: 'BertForSequenceClassification', tokenizer: 8 });
  expect(() => hubModel(folder())).toThrow(/a classifier of pictures, received a model for classification of texts/);
}); // prettier-ignore
