import { unzipSync } from 'fflate';
import { associatedFiles } from '../../../../src/formats/tflite/metadata/archive.ts';
import { decodeMetadata, METADATA_NAME } from '../../../../src/formats/tflite/metadata/metadata.ts';
import { readTflite } from '../../../../src/formats/tflite/read.ts';
import { writeTflite } from '../../../../src/formats/tflite/write.ts';
import { inspectTflite } from '../../../../src/tools/inspect-model.ts';
import { exported, floats, randomFeeds, run, sketch } from '../support.ts';

const graph = sketch((g) => g.op('Softmax', [g.input('image', floats('batch', 3))], { axis: 1 }));
const bytes = exported(graph, {
  description: {
    name: 'fashion',
    description: 'Clothes by kind.',
    version: '1',
    author: 'A',
    license: 'Apache-2.0',
    inputs: { image: { description: 'Grey pixels.', image: { colorSpace: 'grayscale', mean: [127.5], std: [127.5] } } },
    labels: ['shirt', 'shoe', 'bag'],
  },
});

describe('metadata', () => {
  it('holds name, licence, normalization and the labels file of the output', () => {
    expect(decodeMetadata(readTflite(bytes))).toMatchObject({
      name: 'fashion',
      description: 'Clothes by kind.',
      license: 'Apache-2.0',
      minParserVersion: '1.0.0',
      subgraphMetadata: [
        {
          inputTensorMetadata: [
            {
              name: 'image',
              content: { contentProperties: { type$: 'ImageProperties', colorSpace: 2 } },
              processUnits: [{ options: { type$: 'NormalizationOptions', mean: [127.5], std: [127.5] } }],
            },
          ],
          outputTensorMetadata: [{ name: 'y0', associatedFiles: [{ name: 'labels.txt', type: 2 }] }],
        },
      ],
    });
  });

  it('packs the labels behind the model, where a zip reader finds them in the whole file', () => {
    expect(associatedFiles(bytes)).toEqual({ 'labels.txt': 'shirt\nshoe\nbag\n' });
    expect(Object.keys(unzipSync(bytes))).toEqual(['labels.txt']);
  });

  it('leaves a file that runs', async () => {
    const { y0 } = await run(bytes, randomFeeds(graph));
    expect(y0!.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  it('is the same bytes every time', () => {
    const again = exported(graph, { description: { name: 'n', labels: ['a'] } });
    expect(Buffer.compare(exported(graph, { description: { name: 'n', labels: ['a'] } }), again)).toBe(0);
  });

  it('is none where its table is damaged, wherever the damage lies', async () => {
    const model = readTflite(bytes);
    const { buffer } = model.metadata!.find(({ name }) => name === METADATA_NAME)!;
    const table = model.buffers[buffer]!.data!;
    let lost = 0;
    for (let at = 8; at < table.length; at++) {
      const data = table.map((byte, i) => (i === at ? 0xff : byte));
      const damaged = writeTflite({
        ...model,
        buffers: model.buffers.map((old, i) => (i === buffer ? { data } : old)),
      });
      const { value } = await inspectTflite(damaged, 'a.tflite');
      if ((value as { metadata?: unknown }).metadata === undefined) lost++;
    }
    expect(lost).toBeGreaterThan(20);
  });

  it('names the oldest runtime that has the operators', () => {
    const model = readTflite(exported(sketch((g) => g.op('Gelu', [g.input('x', floats(2))], { approximate: false }))));
    const { buffer } = model.metadata!.find(({ name }) => name === 'min_runtime_version')!;
    expect(Buffer.from(model.buffers[buffer]!.data!).toString()).toBe(`2.9.0${'\0'.repeat(11)}`);
  });
});
