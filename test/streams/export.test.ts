import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { convert } from '../../src/convert.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { readEntries } from '../../src/formats/tflite/metadata/entries.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { useCpu } from '../support/cpu.ts';
import { withSource } from '../support/stream-files.ts';
import { netOf, recurrent, streamNet } from '../support/streams.ts';

beforeAll(useCpu);

const PAST = 'past/a/Conv2D_1/Conv_1';

it('writes a TFLite file that answers hop by hop as its source answers windows', () =>
  withSource(streamNet('causal, an answer a frame'), async ({ folder, from, data }) => {
    const out = path.join(folder, 'net-stream.tflite');
    const made = await convertFile({ from, data, format: 'tflite', out, stream: true });
    expect(made.largestError).toBeLessThan(1e-5);
    expect(made).toMatchObject({ samples: 100, kind: 'samples, hop by hop' });
    expect(made.streamText).toBe(
      'a stream: takes 1 frame at a time, keeps 44 numbers, answers from the first hop on, by all frames so far',
    );
    const bytes = new Uint8Array(readFileSync(out));
    const entries = readEntries(readTflite(bytes), bytes);
    expect(JSON.parse(entries.get('stream')!)).toEqual(made.stream);
    expect(made.stream).toMatchObject({
      ...{ input: 'x', axis: 1, hop: 1, window: 12, first: 1, answers: 'all', frames: { logits: 1 } },
      past: expect.arrayContaining([{ name: PAST, shape: [1, 1, 2, 4] }]) as unknown,
    });
    expect(JSON.parse(entries.get('preprocessing')!)).toMatchObject({ shape: [1, 4] });
  }));

it('writes an ONNX file in int8 with the past as inputs and outputs, compared on windows a hop apart too', () =>
  withSource(streamNet('convolutions, mean'), async ({ folder, from, data }) => {
    const out = path.join(folder, 'net-stream.onnx');
    const made = await convertFile({ from, data, precision: 'int8', out, stream: true });
    expect(made.samples).toBeGreaterThan(150);
    expect(made.outputs[0]!.sqnrDb).toBeGreaterThan(30);
    const { graph, metadata } = decodeModel(new Uint8Array(readFileSync(out)), out);
    expect(graph.inputs.map(({ dims }) => dims)).toContainEqual(['batch', 1, 4]);
    const stated = JSON.parse(metadata.get('stream')!) as { past: { name: string; next: string; shape: unknown }[] };
    expect(stated).toMatchObject({ hop: 1, window: 12, first: 12, answers: 'window' });
    expect(stated.past[0]).toEqual({ name: PAST, next: `${PAST}/next`, shape: ['batch', 1, 2, 4] });
    for (const { name, next } of stated.past) {
      expect(graph.inputs.map((one) => one.name)).toContain(name);
      expect(graph.outputs.map((one) => one.name)).toContain(next);
    }
  }));

it.each(['onnx', 'tflite'] as const)('gives the same bytes in memory as the command: %s', (format) =>
  withSource(streamNet('strides'), async ({ folder, from }) => {
    const out = path.join(folder, `stream.${format}`);
    await convertFile({ from, format, out, stream: true });
    const bytes = new Uint8Array(readFileSync(from));
    const { files, layers } = await convert(bytes, { to: format, name: 'net.onnx', runtime: ort, stream: true });
    const made = files.get(`net-stream.${format}`)!;
    expect(layers.length).toBeGreaterThan(4);
    // The command writes the metadata of the source into a TFLite file too.
    if (format === 'onnx') expect(made).toEqual(new Uint8Array(readFileSync(out)));
    else expect(JSON.parse(readEntries(readTflite(made), made).get('stream')!)).toMatchObject({ hop: 2, window: 12 });
  }),
);

it('refuses a layer that looks ahead, by its name, before anything is calibrated or written', () =>
  withSource(netOf([12, 4], recurrent({ units: 3, goBackwards: true }), 'backwards'), async ({ folder, from }) => {
    const out = path.join(folder, 'stream.onnx');
    await expect(convertFile({ from, precision: 'int8', out, stream: true })).rejects.toThrow(
      /^no stream: layer lstm.* looks ahead/,
    );
    expect(() => readFileSync(out)).toThrow('ENOENT');
  }));

it('refuses a batch of any size, sparse filters', () =>
  withSource(streamNet('strides'), async ({ folder, from }) => {
    const options = { from, format: 'tflite', out: path.join(folder, 's.tflite'), stream: true } as const;
    await expect(convertFile({ ...options, batch: 'dynamic' })).rejects.toThrow(
      '--batch dynamic: expected no --stream',
    );
    await expect(convertFile({ ...options, sparse: true })).rejects.toThrow('--sparse: expected no --stream');
    const bytes = new Uint8Array(readFileSync(from));
    await expect(convert(bytes, { to: 'tflite', stream: true, batch: 'dynamic' })).rejects.toThrow('batch dynamic');
  }));
