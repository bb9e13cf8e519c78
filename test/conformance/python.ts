import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { onnxFiles } from '../../src/files/onnx-file.ts';
import type { OnnxContent } from '../../src/formats/onnx/large.ts';
import type { DType, TensorData } from '../../src/graph/types.ts';

export interface CaseTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** A file for Python to check: its bytes, what to feed it, and what it gave here. */
export interface Case {
  readonly name: string;
  readonly bytes: OnnxContent;
  readonly inputs: Readonly<Record<string, CaseTensor>>;
  readonly outputs: Readonly<Record<string, CaseTensor>>;
  /** Largest error relative to the largest value of the output; for ONNX files that counts as 1 at least. */
  readonly tolerance: number;
  /** Of an integer model: what one step of its output is worth. */
  readonly step?: number;
  /** Run by TFLite's reference kernels, without XNNPACK. */
  readonly referenceKernels?: boolean;
}

export interface Verdict {
  readonly name: string;
  /** Empty: all is well. */
  readonly problem: string;
  /** Largest relative error of an output. */
  readonly error: number;
  /** Share of rows of the last output with the same largest value. */
  readonly top1?: number;
  /** Share of values of the last output that differ by one `step` at most. */
  readonly within?: number;
}

/** Writes the cases to a temporary folder, runs `script` of this folder on it, and gives a verdict for each case. */
export function checkWithPython(script: string, extension: string, cases: readonly Case[]): readonly Verdict[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    const manifest = cases.map((one, i) => writeCase(folder, `${i}`, extension, one));
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    return runPython(script, folder) as Verdict[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs `script` of this folder on a folder and what else it takes; what it prints last is JSON. */
export function runPython(script: string, folder: string, ...more: readonly string[]): unknown {
  const file = path.resolve(process.cwd(), 'test', 'conformance', script);
  const args = [file, folder, ...more];
  const { status, stdout, stderr } = spawnSync(pythonPath(), args, { encoding: 'utf8', maxBuffer: 1e9 });
  if (status !== 0) throw new Error(`${script} ended with code ${String(status)}:\n${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
}

export function pythonPath(): string {
  const python = process.env.CONFORMANCE_PYTHON;
  if (python === undefined) throw new Error('start these tests with `npm run test:conformance`');
  return python;
}

function writeCase(folder: string, id: string, extension: string, one: Case): object {
  const file = `${id}${extension}`;
  for (const [name, part] of onnxFiles(file, one.bytes))
    writeFileSync(
      path.join(folder, name),
      part instanceof Uint8Array ? part : Buffer.concat([...(part as Iterable<Uint8Array>)]),
    );
  mkdirSync(path.join(folder, id));
  const written = (tensors: Case['inputs'], kind: string): object[] =>
    Object.entries(tensors).map(([name, { dtype, shape, data }], i) => {
      const raw = path.join(id, `${kind}${i}.bin`);
      writeFileSync(path.join(folder, raw), bytesOf(data));
      return { name, dtype, shape, file: raw };
    });
  return {
    ...{ name: one.name, file, tolerance: one.tolerance, step: one.step },
    referenceKernels: one.referenceKernels,
    ...{ inputs: written(one.inputs, 'in'), outputs: written(one.outputs, 'out') },
  };
}
