import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { importOnnx } from '../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { runPython } from './python.ts';

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Case {
  readonly name: string;
  readonly how: string;
  readonly number: number;
  readonly error: string | null;
  readonly ids: boolean;
  readonly x: Values;
  readonly y: Values;
}

const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('networks that PyTorch exported, by both exporters, give what PyTorch gives', async () => {
  const { torch } = runPython('onnx_pytorch.py', folder) as { torch: string };
  const cases = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8')) as Case[];
  const wrong: string[] = [];
  const rows: string[] = [];
  for (const one of cases) {
    const outcome = one.error === null ? await tried(one) : `not exported: ${one.error}`;
    rows.push(`${one.name} (${one.how}): ${outcome}`);
    if (one.error === null && !outcome.startsWith('error ')) wrong.push(rows.at(-1)!);
  }
  console.log(`PyTorch ${torch}\n${rows.join('\n')}`);
  expect(wrong).toEqual([]);
}, 600_000);

async function tried({ number, ids, x, y }: Case): Promise<string> {
  try {
    const model = decodeModel(readFileSync(path.join(folder, `${number}.onnx`)), `${number}.onnx`);
    const graph = forInference(importOnnx(model, 'm.onnx'), (part) => evaluator.runSync(part, new Map()));
    const session = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'm.onnx', {});
    const data = ids ? BigInt64Array.from(x.values, BigInt) : Float32Array.from(x.values);
    const given = await session.run({ [session.inputs[0]!.name]: { data, shape: x.shape } });
    session.dispose();
    const actual = given[[...graph.outputs.keys()][0]!]!;
    if (actual.shape.join() !== y.shape.join()) return `shape [${actual.shape.join(', ')}]`;
    const scale = Math.max(...y.values.map(Math.abs));
    const error = Math.max(...y.values.map((value, i) => Math.abs(value - Number(actual.data[i])))) / scale;
    return error <= 1e-4 ? `error ${error.toExponential(1)}, TFLite ${tflite(graph)}` : `differs by ${error}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function tflite(graph: Parameters<typeof exportTflite>[0]): string {
  try {
    exportTflite(graph);
    return 'written';
  } catch (error) {
    return `refused: ${(error as Error).message}`;
  }
}
