/**
 * Reading and writing of ONNX files: `npm run bench:protobuf -- [--beside FOLDER] [--rounds 7]`. FOLDER is `dist` of another
 * version, measured in turn. A model of 100 MB in five tensors, and one of 5,000 nodes with as many small tensors. A process for each
 * measurement: the first call, which is all that most commands make, the median of the next four, in milliseconds, and the highest
 * memory of the process in MB.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from '../src/formats/onnx/model.ts';
import { encodeModel } from '../src/formats/onnx/protobuf.ts';
import { jsonOf, median, table } from './processes.ts';

const { values } = parseArgs({ options: { beside: { type: 'string' }, rounds: { type: 'string', default: '7' } } });
const child = fileURLToPath(new URL('protobuf-child.js', import.meta.url));
const root = path.resolve(import.meta.dirname, '../../../..');
const versions = {
  this: path.join(root, 'dist'),
  ...(values.beside === undefined ? {} : { other: path.resolve(values.beside) }),
};

const weights = (name: string, dims: number[], fill: number): OnnxTensor => ({
  ...{ name, dtype: 'float32', dims },
  raw: new Uint8Array(4 * dims.reduce((product, dim) => product * dim, 1)).fill(fill),
});
const node = (op: string, i: number, attrs: readonly (readonly [string, OnnxAttr])[] = []): OnnxNode => ({
  ...{ op, domain: '', name: `layer${i}/${op}`, inputs: [`x${i}`, `w${i}`], outputs: [`x${i + 1}`] },
  attrs: new Map(attrs),
});
const CONV = [
  ['strides', { type: 'ints', value: [1, 1] }],
  ['pads', { type: 'ints', value: [1, 1, 1, 1] }],
  ['group', { type: 'int', value: 1 }],
  ['auto_pad', { type: 'string', value: 'NOTSET' }],
] as const;
const counted = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
const modelOf = (nodes: readonly OnnxNode[], initializers: readonly OnnxTensor[]): Model => ({
  ...{ irVersion: 8, opsets: new Map([['', 17]]), producerName: 'bench', producerVersion: '' },
  ...{ metadata: new Map(), functions: [] },
  graph: {
    ...{ name: 'bench', nodes, initializers, valueInfos: [] },
    inputs: [{ name: 'x0', dtype: 'float32', dims: ['batch', 1024] }],
    outputs: [{ name: `x${nodes.length}`, dtype: 'float32', dims: ['batch', 1024] }],
  },
});
const models = {
  '100 MB, 5 nodes': modelOf(
    counted(5, (i) => node('MatMul', i)),
    counted(5, (i) => weights(`w${i}`, [5, 1024, 1024], i)),
  ),
  '5,000 nodes': modelOf(
    counted(5000, (i) => node('Conv', i, CONV)),
    counted(5000, (i) => weights(`w${i}`, [4, 4, 3, 3], i)),
  ),
};

const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
const rows: string[][] = [];
try {
  for (const [title, model] of Object.entries(models)) {
    const file = path.join(folder, 'model.onnx');
    writeFileSync(file, encodeModel(model));
    for (const operation of ['read', 'write']) rows.push(...(await measured(title, file, operation)));
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(table(['model', '', 'version', 'first, ms', 'next, ms', 'memory, MB'], rows));

async function measured(title: string, file: string, operation: string): Promise<string[][]> {
  const found = Object.keys(versions).map((): Record<string, number>[] => []);
  const hashes = new Set<unknown>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, dist] of Object.values(versions).entries()) {
      const { hash, ...numbers } = await jsonOf(process.execPath, [child, dist, file, operation]);
      hashes.add(hash);
      found[i]!.push(numbers as Record<string, number>);
    }
  }
  if (hashes.size !== 1) throw new Error(`${title}, ${operation}: the versions give different bytes`);
  return Object.keys(versions).map((version, i) => {
    const of = (key: string) => median(found[i]!.map((one) => one[key]!)).toFixed(key === 'next' ? 1 : 0);
    return [title, operation, version, of('first'), of('next'), of('memory')];
  });
}
