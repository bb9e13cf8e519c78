import { descriptionFrom, loadDescription } from '../../src/ship/description.ts';

beforeAll(async () => {
  for (const form of ['mask', 'boxes']) await loadDescription(form);
});

const metadata = new Map([
  ['labels', '["cat","dog"]'],
  ['preprocessing', '{"shape":[4,4,3],"scale":0.00390625,"mean":[0.5,0.25,0.125],"std":[0.25,0.5,1]}'],
  ['output', 'logits'],
  ['recipeSha256', '0123456789abcdef'],
  ['license', 'Apache-2.0'],
]);

it('is that of the ONNX file: labels, licence, and pixels as (value - mean) / std, the scale worked in', () => {
  expect(descriptionFrom('pets', metadata, 'x')).toEqual({
    name: 'pets',
    description: 'Made by limbeck. Gives one of 2 classes. Outputs are logits: softmax makes probabilities of them.',
    version: '0123456789ab',
    license: 'Apache-2.0',
    labels: ['cat', 'dog'],
    inputs: {
      x: {
        description:
          'Values of shape 4×4×3, prepared as (value * 0.00390625 - mean) / std with mean 0.5, 0.25, 0.125 and std 0.25, 0.5, 1.',
        image: { colorSpace: 'rgb', mean: [128, 64, 32], std: [64, 128, 256] },
      },
    },
  });
});

it("leaves out what is not there, and what other people's files mean otherwise", () => {
  const plain = { name: 'm', description: 'Made by limbeck.' };
  expect(descriptionFrom('m', new Map(), 'x')).toEqual(plain);
  const odd = new Map([
    ['labels', 'cat, dog'],
    ['preprocessing', '{"scale":"255"}'],
  ]);
  expect(descriptionFrom('m', odd, 'x')).toEqual(plain);
});

it('tells MediaPipe that the logits of each pixel want a softmax, and no reader that of a file whose classes are chosen', () => {
  const stated = new Map([...metadata, ['targets', '["sky","road"]'], ['task', 'segmentation']]);
  stated.delete('labels');
  const { labels, custom, entries } = descriptionFrom('m', stated, 'x');
  expect([labels, entries!.get('targets')]).toEqual([['sky', 'road'], '["sky","road"]']);
  // A table of the option 2, SOFTMAX, and of its version; V001 marks the schema of MediaPipe.
  expect(custom!.map(({ name, data }) => [name, Buffer.from(data.subarray(4, 8)).toString()])).toEqual([
    ['SEGMENTER_METADATA', 'V001'],
  ]);
  const chosen = descriptionFrom('m', new Map([...stated, ['output', 'classes']]), 'x');
  expect([chosen.custom, chosen.labels]).toEqual([undefined, undefined]);
});

it('tells MediaPipe where the boxes of a detector are', () => {
  const fields = '[{"name":"boxes","shape":[84,4]},{"name":"scores","shape":[84,2]}]';
  const stated = new Map([...metadata, ['targets', '["sky","road"]'], ['task', 'detection'], ['fields', fields]]);
  stated.delete('labels');
  const { labels, custom, outputs, description } = descriptionFrom('m', new Map([...stated, ['output', 'detections']]), 'x'); // prettier-ignore
  expect([labels, description]).toEqual([['sky', 'road'], 'Made by limbeck. Gives each box one of 2 classes.']);
  expect(outputs).toEqual({ location: { areBoxes: true }, score: { hasLabels: true } });
  // 84 equal anchors are stored once: an offset each.
  expect(custom!.map(({ name, data }) => [name, data.length < 84 * 4 + 200])).toEqual([['DETECTOR_METADATA', true]]);
  expect(descriptionFrom('m', stated, 'x').custom).toBeUndefined();
});

it('calls values that are no image none', () => {
  const features = new Map([['preprocessing', '{"shape":[4],"scale":1,"mean":[0,0,0,0],"std":[1,1,1,1]}']]);
  expect(descriptionFrom('iris', features, 'x').inputs!['x']!.image).toBeUndefined();
});

it('says of each of several inputs which part of a sample it takes', () => {
  const several = new Map([
    [
      'preprocessing',
      '{"shape":[14],"scale":1,"mean":[0,0,5,6,5,6,5,6,5,6,5,6,5,6],"std":[1,1,2,3,2,3,2,3,2,3,2,3,2,3]}',
    ],
    [
      'inputs',
      '[{"name":"ids","shape":[2],"from":0,"isWhole":true},{"name":"grid","shape":[2,3,2],"from":2,"isWhole":false}]',
    ],
  ]);
  const { inputs, entries } = descriptionFrom('m', several, 'ids');
  expect(inputs).toEqual({
    ids: { description: 'Whole numbers of shape 2, as they are.' },
    grid: { description: 'Values of shape 2×3×2, prepared as (value * 1 - mean) / std with mean 5, 6 and std 2, 3.' },
  });
  expect([...entries!.keys()].sort()).toEqual(['inputs', 'preprocessing']);
});
