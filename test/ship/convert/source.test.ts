import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../../src/base/bytes.ts';
import type { Writer as MessageWriter } from '../../support/wire.ts';
import { Writer } from '../../support/wire.ts';
import { openSource } from '../../../src/ship/convert/source.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();
const model = (): string => path.join(folder(), 'm.onnx');

const end = (name: string) => (info: MessageWriter) =>
  info.string(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, 1).message(2, (shape) => {
        shape.message(1, (dim) => dim.string(2, 'N'));
        return shape.message(1, (dim) => dim.int(1, 2));
      }),
    ),
  );

/** y = x · w, with w in a file beside the model. */
async function writeModel(): Promise<void> {
  const bytes = new Writer()
    .int(1, 8)
    .message(7, (graph) =>
      graph
        .message(1, (node) => node.string(1, 'x').string(1, 'w').string(2, 'y').string(4, 'Mul'))
        .message(5, (tensor) => {
          tensor.packedInts(1, [2]).int(2, 1).string(8, 'w');
          tensor.message(13, (entry) => entry.string(1, 'location').string(2, 'm.onnx.data'));
          return tensor.int(14, 1);
        })
        .message(11, end('x'))
        .message(12, end('y')),
    )
    .message(8, (opset) => opset.int(2, 17))
    .finish();
  await writeFile(model(), bytes);
}

describe('an ONNX file to write in another form', () => {
  beforeEach(writeModel);

  it('is read with the weights in the file beside it', async () => {
    await writeFile(path.join(folder(), 'm.onnx.data'), bytesOf(Float32Array.of(1.5, -2)));
    const { graph } = await openSource(model(), 'distilled');
    expect([...graph.constants.values()].map(({ data }) => [...data].map(Number))).toEqual([[1.5, -2]]);
    expect([...graph.inputs]).toEqual([['x', { dtype: 'float32', shape: ['batch', 2] }]]);
  });

  it('names that file where it is missing', async () => {
    await expect(openSource(model(), 'distilled')).rejects.toThrow('m.onnx.data, which is not there');
  });
});
