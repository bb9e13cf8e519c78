import * as tf from '@tensorflow/tfjs-core';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { runProgram } from '../../src/commands/program.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import type { Model, OnnxGraph } from '../../src/formats/onnx/model.ts';
import { printOnnx } from '../../src/formats/onnx/print.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import { showStage } from '../../src/graph/stages.ts';
import { dumpGraphs } from '../../src/tools/dump-graph.ts';
import { traceFunction } from '../../src/trace/trace.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const written = (name: string): Promise<string> => readFile(path.join(folder(), name), 'utf8');

/** Two dense layers of one unit, the second of which nothing needs. */
function small() {
  return traceFunction(
    ({ x }) => {
      const product = tf.matMul(x as tf.Tensor2D, tf.tensor2d([[1], [2]]));
      tf.matMul(product, tf.tensor2d([[3]]));
      return { y: tf.relu(tf.add(product, tf.tensor1d([1]))) };
    },
    { x: { dtype: 'float32', shape: [4, 2] } },
  );
}

describe('--dump-graph', () => {
  it('writes each graph at each stage, in the order in which they are made', async () => {
    const dump = await dumpGraphs(folder());
    const graph = forInference(small(), () => new Map());
    lowerToOnnx(graph);
    exportTflite(graph);
    await dump.end();
    lowerToOnnx(graph, { name: 'after the end' });
    expect((await readdir(folder())).sort()).toEqual([
      ...['0001-traced.txt', '0002-cleaned.txt', '0003-inference.txt', '0004-onnx.txt'],
      ...['0005-tflite.txt', '0006-tflite-final.txt', 'index.txt'],
    ]);
    expect(dump.count()).toBe(6);
    expect(await written('0002-cleaned.txt')).toMatch(/^input {2}x: float32\[4, 2\]\n(.*\n)*.* = BatchMatMul\(x, /);
    expect(await written('0004-onnx.txt')).toMatch(/^opset {2}17\ninput {2}x: float32\[4, 2\]\nweight /);
    expect(await written('0005-tflite.txt')).toMatch(/ = ADD\(/);
    const final = await written('0006-tflite-final.txt');
    expect(final).toMatch(/ = (FULLY_CONNECTED|BATCH_MATMUL)\(x, /);
    expect(final).not.toContain('ADD(');
    expect((await written('index.txt')).split('\n')[1]).toMatch(/^0002-cleaned\.txt {2}3 nodes {2}x -> y$/);
  });

  it('leaves out what was written before, and deletes what another dump left', async () => {
    await writeFile(path.join(folder(), '0009-qdq.txt'), 'old');
    await writeFile(path.join(folder(), 'notes.txt'), 'mine');
    const dump = await dumpGraphs(folder());
    showStage('step', () => 'a');
    showStage('step', () => 'a');
    await dump.end();
    expect((await readdir(folder())).sort()).toEqual(['0001-step.txt', 'index.txt', 'notes.txt']);
  });

  it('is an option of every command, and refused where the folder cannot be written', async () => {
    const said: string[] = [];
    const host = {
      ...{
        out: (text: string) => said.push(text),
        note: (text: string) => said.push(text),
        err: (text: string) => said.push(text),
      },
      ...{ isTerminal: false, columns: undefined, signal: new AbortController().signal },
    };
    const target = path.join(folder(), 'graphs');
    expect(await runProgram(['inspect', '--models', '--dump-graph', target], host)).toBe(0);
    expect(said.at(-1)).toBe(`${target}: no graph: none was made\n`);
    expect(await readdir(folder())).toEqual([]);
    await writeFile(path.join(folder(), 'file'), '');
    await expect(dumpGraphs(path.join(folder(), 'file', 'in'))).rejects.toBeInstanceOf(UserError);
  });
});

it('an ONNX model is printed with the graphs inside its nodes', () => {
  const empty: OnnxGraph = { name: '', nodes: [], initializers: [], inputs: [], outputs: [], valueInfos: [] };
  const then: OnnxGraph = { ...empty, outputs: [{ name: 'z' }] };
  const node = { op: 'If', domain: 'com.example', name: 'n', inputs: ['c', ''], outputs: ['y', ''] };
  const model: Model = {
    ...{ irVersion: 8, producerName: '', producerVersion: '', metadata: new Map(), functions: [] },
    opsets: new Map([['', 17]]),
    graph: {
      ...empty,
      inputs: [{ name: 'c', dtype: 'bool', dims: ['batch', null] }],
      initializers: [{ name: 'w', dtype: 'int4', dims: [2, 2], raw: new Uint8Array(2) }],
      nodes: [{ ...node, attrs: new Map([['then', { type: 'graph', value: then }]]) }],
    },
  };
  expect(printOnnx(model).split('\n')).toEqual([
    ...['opset  17', 'input  c: bool[batch, ?]', 'weight w: int4[2, 2]'],
    ...['y, - = com.example.If(c, -) {then: graph}   # n', '    then:', '      output z: ?[...]'],
  ]);
});
