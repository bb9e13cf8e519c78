import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { BenchResult } from '../../src/tools/bench.ts';
import { floats, sketch } from '../formats/tflite/support.ts';
import { temporaryFolder } from '../support/folder.ts';
import { kerasHdf5, KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';
import { inProcess } from '../support/in-process.ts';

const folder = temporaryFolder();

beforeEach(async () => {
  const graph = sketch((g) => g.op('Relu', [g.input('x', floats('batch', 6))]));
  await writeFile(path.join(folder(), 'good.onnx'), encodeModel(lowerToOnnx(graph)));
  await writeFile(path.join(folder(), 'bad.onnx'), 'this is no model');
  // Three rows are added to as many as there are: that fails when it runs, unless it is one or three.
  const three = lowerToOnnx(sketch((g) => g.op('Add', [g.input('x', floats(1, 6)), g.weights([3, 6])])));
  const [input] = three.graph.inputs;
  const inputs = [{ ...input!, dims: ['batch', 6] }];
  await writeFile(path.join(folder(), 'three.onnx'), encodeModel({ ...three, graph: { ...three.graph, inputs } }));
});

const bench = (...args: string[]) => inProcess(folder(), 'bench', ...args, '--seconds', '0.1');

describe('limbeck bench', () => {
  it('measures what it can, and says what it could not and why', async () => {
    const { code, stdout } = await bench('bad.onnx', 'three.onnx', 'good.onnx', '--batch', '1', '2', '--json');
    expect(code).toBe(0);
    const { rows, skipped } = JSON.parse(stdout) as BenchResult;
    expect(rows.map(({ name, batchSize }) => [name, batchSize])).toEqual([
      ['three.onnx', 1],
      ['good.onnx', 1],
      ['good.onnx', 2],
    ]);
    expect(skipped).toEqual([
      {
        what: 'bad.onnx in onnxruntime on cpu, 1 thread',
        why: expect.stringMatching(/^ONNX Runtime cannot load/) as string,
      },
      {
        what: 'three.onnx in onnxruntime on cpu, batch 2, 1 thread',
        why: expect.stringMatching(/broadcast/) as string,
      },
    ]);
  });

  it('measures files of Keras', async () => {
    await writeFile(path.join(folder(), 'a.keras'), packedKeras(KERAS_PARTS));
    await writeFile(path.join(folder(), 'a.h5'), kerasHdf5);
    const { stdout } = await bench('a.keras', 'a.h5', '--json');
    const { rows, skipped } = JSON.parse(stdout) as BenchResult;
    expect([rows.map(({ name }) => name), skipped]).toEqual([['a.keras', 'a.h5'], []]);
  });

  it('leaves out a batch that no memory holds, and says what it would take', async () => {
    const both = await bench('good.onnx', '--batch', '1', '1e12', '--json');
    const { rows, skipped } = JSON.parse(both.stdout) as BenchResult;
    expect(rows.map(({ batchSize }) => batchSize)).toEqual([1]);
    const why = /^its inputs take about 24000\.0 GB of memory, and there are \S+ [MG]B: choose a smaller batch$/;
    expect(skipped).toEqual([{ what: 'good.onnx at batch 1000000000000', why: expect.stringMatching(why) as string }]);
    const { code, stderr } = await bench('good.onnx', '--batch', '1e12');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^nothing was measured: good\.onnx at batch 1000000000000: its inputs take/),
    ]);
  });

  it('refuses options that a served page would not follow', async () => {
    for (const more of [
      ['--in', 'chromium'],
      ['--device', 'webgpu'],
    ]) {
      const { code, stderr } = await bench('good.onnx', '--serve', ...more);
      expect(code).toBe(1);
      expect(stderr).toMatch(/--serve measures where its page is opened/);
    }
  });

  it('fails where nothing could be measured', async () => {
    const { code, stdout, stderr } = await bench('bad.onnx', '--json');
    expect([code, Object.keys(JSON.parse(stdout) as object)]).toEqual([1, ['error']]);
    expect(stderr).toMatch(/nothing was measured: bad\.onnx in onnxruntime on cpu, 1 thread: ONNX Runtime cannot load/);
  });
});
