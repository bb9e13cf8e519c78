import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { floats, sketch } from '../formats/tflite/support.ts';
import { start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** A file whose weights are `size` by `size` floats. */
async function writeModel(size: number): Promise<void> {
  const graph = sketch((g) => {
    return g.op('BatchMatMul', [g.input('x', floats('batch', size)), g.weights([size, size])], {
      ...{ transposeA: false, transposeB: false },
    });
  });
  await writeFile(path.join(folder(), 'model.onnx'), encodeModel(lowerToOnnx(graph)));
}

/** The memory that `limbeck bench` measures of the file, where the program runs `preload` first. */
async function memoryOfModel(preload?: string): Promise<number> {
  const args = ['bench', 'model.onnx', '--seconds', '0.2', '--json'];
  const { code, stdout } = await start(folder(), args, preload).finished;
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { rows: { memoryBytes: number }[] }).rows[0]!.memoryBytes;
}

describe('memory of a model', () => {
  it('is at least that of its weights, and not that of the program', async () => {
    await writeModel(2000);
    const weights = 4 * 2000 * 2000;
    const memory = await memoryOfModel();
    expect(memory).toBeGreaterThan(0.9 * weights);
    expect(memory).toBeLessThan(4 * weights);
  });

  it('is not that of the process that has it measured', async () => {
    await writeModel(10);
    expect(await memoryOfModel('globalThis.held = Buffer.alloc(5e8, 1)')).toBeLessThan(2e7);
  });
});
