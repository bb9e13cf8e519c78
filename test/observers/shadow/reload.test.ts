import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { shadowOf } from '../../../src/observers/shadow/observe.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { ask, serving } from '../../serve/server.ts';

const folder = temporaryFolder();

/** Pictures [batch, 2, 2, 1] to logits [batch, 2]: the sum of the pixels, and `sign` times it. */
function judge(sign: 1 | -1, metadata: object): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('input', { dtype: 'float32', shape: ['batch', 2, 2, 1] });
  const row = b.op('Reshape', [x], { shape: ['batch', 4] });
  const weights = Float32Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 1 : 2 * sign));
  const w = b.constant({ dtype: 'float32', shape: [4, 2] }, weights);
  b.output('logits', b.op('BatchMatMul', [row, w], { transposeA: false, transposeB: false }));
  const entries = Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)] as const);
  return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(entries) }));
}

it('a shadow keeps nothing of a model that is loaded anew and takes samples of another form', async () => {
  const labels = ['dark', 'light'];
  const preprocessing = { shape: [2, 2, 1], scale: 1 / 255, mean: [0], std: [1] };
  const teacher = path.join(folder(), 'teacher.onnx');
  await writeFile(teacher, judge(-1, { labels, preprocessing }));
  const kept = path.join(folder(), 'kept');
  const keep = { folder: kept, mostBytes: 1e6 };
  const first = { 'student.onnx': judge(1, { labels, preprocessing }) };
  const server = await serving(first, { shadow: { teacher, share: 1, keep } });
  try {
    const data = [0.2, 0.4, 0.6, 0.8];
    const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, 2, 2, 1], data }];
    const answered = async (count: number): Promise<Record<string, number>> => {
      expect((await ask(server, '/v2/models/student/infer', { body: { inputs } })).status).toBe(200);
      const { counts } = shadowOf(server.host)!;
      while (Object.values(counts).reduce((sum, one) => sum + one, 0) < count) await new Promise(setImmediate);
      return { ...counts };
    };
    expect(await answered(1)).toEqual({ agree: 0, disagree: 1, dropped: 0, failed: 0 });
    // The same without a word on how its pixels are prepared: its samples are the floats that it is fed.
    await writeFile(path.join(server.folder, 'student.onnx'), judge(1, { labels }));
    expect((await ask(server, '/v2/repository/models/student/load', { body: {} })).status).toBe(200);
    expect(await answered(2)).toEqual({ agree: 0, disagree: 1, dropped: 0, failed: 1 });
    expect(server.lines.join('\n')).toContain(
      `the shadow of student did not answer: ${kept}: it holds samples of uint8 [2, 2, 1] of 2 classes, and the model now has float32`,
    );
  } finally {
    await server.end();
  }
  const bytes = await readFile(path.join(kept, 'samples.npy'));
  expect([...bytes.subarray(-4)]).toEqual([51, 102, 153, 204]);
});
