import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { endsOfFile } from '../../src/runtime/litert.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { parseReport } from '../../src/report/read.ts';
import { checkData } from '../../src/run/check-data.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { temporaryFolder } from '../support/folder.ts';
import { walksRecipe } from './walks.ts';

const folder = temporaryFolder();

it('writes a stream beside each file of a run, compared hop by hop with the float file, and lists it in the report', async () => {
  const recipe = await walksRecipe(folder(), { report: { latency: { seconds: 0.2, batchSizes: [1], threads: [1] } } });
  const { report, folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
  const made = report.models.flatMap(({ id, stream }) => (stream === undefined ? [] : [{ id, ...stream }]));
  expect(made.map(({ id, file }) => [id, file])).toEqual([
    ['scratch', 'exports/scratch-stream.onnx'],
    ['scratch-tflite', 'exports/scratch-stream.tflite'],
    ['scratch-int8', 'exports/scratch-int8-stream.onnx'],
    ['scratch-int8-tflite', 'exports/scratch-int8-stream.tflite'],
  ]);
  for (const { id, file, sizeBytes, ...stream } of made) {
    expect(stream).toMatchObject({ hop: 2, window: 16 });
    expect(stream.samples).toBeGreaterThan(100);
    expect(stream.sqnrDb ?? Infinity).toBeGreaterThan(id.includes('int8') ? 15 : 100);
    expect(stream.agreement).toBeGreaterThan(0.9);
    expect(stream.latency.length).toBeGreaterThan(0);
    expect(sizeBytes).toBe(readFileSync(path.join(run, file)).length);
    expect(stream.macs).toBeLessThan(report.models.find((model) => model.id === id)!.macs! / 3);
  }
  expect(readdirSync(path.join(run, 'exports'))).toHaveLength(8);
  const onnx = path.join(run, made[2]!.file);
  const { graph, metadata } = decodeModel(readFileSync(onnx), onnx);
  expect(graph.inputs[0]!.dims).toEqual(['batch', 2, 2]);
  expect(JSON.parse(metadata.get('preprocessing')!)).toMatchObject({ shape: [2, 2] });
  expect(JSON.parse(metadata.get('stream')!)).toMatchObject({ hop: 2, window: 16, answers: 'window' });
  expect(endsOfFile(readFileSync(path.join(run, made[3]!.file))).inputs).toMatchObject([{ shape: [1, 2, 2] }]);
  expect(parseReport(JSON.stringify(report))).toEqual(report);
  for (const text of [reportHtml(report), reportMarkdown(report)])
    expect(text).toContain('exports/scratch-int8-stream.tflite');
});

it('refuses a student that looks ahead by the name of the layer, before anything is trained', async () => {
  const look = {
    student: { model: 'cnn-1d', width: 0.25, depth: 2 },
    export: ['onnx', { format: 'tflite', stream: true }],
  };
  const recipe = makeRecipe(await walksRecipe(folder(), look), folder());
  await expect(checkData(recipe.recipe)).rejects.toMatchObject({
    message: expect.stringMatching(
      /^export\.1\.stream of the student cnn-1d: no stream: layer stem looks ahead/,
    ) as string,
    hint: expect.stringContaining('docs/streams.md') as string,
  });
  await expect(runRecipe(recipe, { out: folder() })).rejects.toThrow('looks ahead');
  expect(readdirSync(path.join(folder(), 'walks')).includes('exports')).toBe(false);
});

it('takes the formats of streams for formats of the student, and refuses what no stream can be', async () => {
  const own = await walksRecipe(folder());
  const made = (change: object) => makeRecipe({ ...own, ...change }, folder()).recipe.export;
  const [onnx, tflite] = own.export;
  expect(made({ export: [tflite] })).toEqual([tflite, 'tflite']);
  expect(made({ export: ['onnx', tflite, onnx] })).toEqual(['onnx', tflite, onnx, 'tflite']);
  expect(() => made({ export: [{ format: 'onnx' }] })).toThrow('export[0].stream: expected true, received nothing');
  expect(() => made({ tflite: { batch: 'dynamic' } })).toThrow(
    'export[1].stream: expected no stream beside tflite.batch: dynamic',
  );
  expect(() => made({ target: { sizeKb: 10 } })).toThrow('export[0].stream: expected no stream beside target');
});
