import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { floats, randomFeeds, reference, sketch } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import { checkWithPython, runPython } from './python.ts';

beforeAll(useCpu);

describe('a file with description and labels', () => {
  const graph = sketch((g) => g.op('Softmax', [g.input('image', floats('batch', 3))], { axis: 1 }));
  const image = { colorSpace: 'rgb', mean: [123.5, 116, 103], std: [58, 57, 57.5] } as const;
  const { bytes } = exportTflite(graph, {
    description: {
      ...{ name: 'animals', description: 'Animals by kind.', version: '2', author: 'A', license: 'Apache-2.0' },
      inputs: { image: { description: 'Pixels.', image } },
      labels: ['ant', 'bee', 'çow'],
    },
  });

  it('is read by the classes of the official schema, and as a zip archive', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'metadata-'));
    writeFileSync(path.join(folder, 'animals.tflite'), bytes);
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(['animals.tflite']));
    const [read] = runPython('tflite_metadata.py', folder) as [unknown];
    rmSync(folder, { recursive: true });
    // Of ContentProperties, ImageProperties is the second; of ColorSpaceType, RGB the first after UNKNOWN; of ProcessUnit
    // Options, NormalizationOptions the first; of AssociatedFileType, TENSOR_AXIS_LABELS the second after UNKNOWN.
    expect(read).toEqual({
      files: { 'labels.txt': 'ant\nbee\nçow\n' },
      metadata: {
        ...{ name: 'animals', description: 'Animals by kind.', version: '2', author: 'A', license: 'Apache-2.0' },
        minParserVersion: '1.0.0',
        subgraphMetadata: [
          {
            inputTensorMetadata: [
              {
                ...{ name: 'image', description: 'Pixels.' },
                content: { contentPropertiesType: 2, contentProperties: { colorSpace: 1 } },
                processUnits: [{ optionsType: 1, options: { mean: image.mean, std: image.std } }],
              },
            ],
            outputTensorMetadata: [
              {
                name: 'y0',
                associatedFiles: [{ name: 'labels.txt', description: 'Class names, one a line.', type: 2 }],
              },
            ],
          },
        ],
      },
    });
  });

  it('runs in the official interpreter', () => {
    const feeds = randomFeeds(graph) as { image: Float32Array };
    const expected = reference(graph, feeds).y0!;
    const verdicts = checkWithPython('tflite_check.py', '.tflite', [
      {
        ...{ name: 'animals', bytes, tolerance: 1e-5 },
        inputs: { image: { dtype: 'float32', shape: [1, 3], data: feeds.image } },
        outputs: { y0: { dtype: 'float32', shape: [1, 3], data: expected } },
      },
    ]);
    expect(verdicts).toMatchObject([{ problem: '' }]);
  });
});
