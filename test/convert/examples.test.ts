import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { convertFile } from '../../src/ship/convert.ts';
import { built, ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { pictureTeacher } from '../support/onnx.ts';

const folder = temporaryFolder();
const node = promisify(execFile);

it('runs the example for Node, with the bytes that the command line writes', async () => {
  const [from, out] = [path.join(folder(), 'net.onnx'), path.join(folder(), 'written.tflite')];
  await writeFile(from, pictureTeacher());
  // A package finds itself by its name.
  const script = path.join(built(), 'examples/convert/convert.mjs');
  await cp(path.join(ROOT, 'examples/convert/convert.mjs'), script);
  await node(process.execPath, [script, from, 'tflite', 'fp16'], { cwd: folder() });
  await convertFile({ from, out, format: 'tflite', precision: 'fp16' });
  expect(Buffer.compare(await readFile(path.join(folder(), 'net-fp16.tflite')), await readFile(out))).toBe(0);
});

it('loads no native module, and Keras only for its files', async () => {
  const program = `
    await import('limbeck/convert');
    const { sharedObjects } = process.report.getReport();
    console.log(JSON.stringify(sharedObjects.filter((file) => file.endsWith('.node'))));
    const { createRequire } = await import('node:module');
    console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache).filter((file) => !/flatbuffers/.test(file))));
    createRequire(import.meta.url)('onnxruntime-node');
    console.log(process.report.getReport().sharedObjects.some((file) => file.endsWith('.node')));`;
  const script = path.join(built(), 'loads.mjs');
  await writeFile(script, program);
  const { stdout } = await node(process.execPath, [script], { maxBuffer: 2 ** 24 });
  expect(stdout).toBe('[]\n[]\ntrue\n');
});
